#include "plugins/logs/follow/line_reader.h"

#include "tests/support/catch.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

class Memory {  // a file without a name
 public:
  explicit Memory(const std::string& text) : fd_(memfd_create("log", MFD_CLOEXEC)) { add(text); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { close(fd_); }
  void add(const std::string& text) const { REQUIRE(write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size())); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

std::vector<std::string> lines_of(LineReader& reader) {
  std::vector<std::string> lines;
  for (;;) {
    auto line = reader.next();
    REQUIRE(line);
    if (!line.value()) return lines;
    lines.emplace_back(line.value()->text);
  }
}

}  // namespace

TEST_CASE("lines come whole, and the last one when its newline does") {
  const Memory file("one\r\n\ntwo\nthr");
  LineReader reader(file.fd(), 0);
  CHECK(lines_of(reader) == std::vector<std::string>{"one", "", "two"});
  CHECK(reader.has_rest());
  CHECK(reader.offset() == 10);
  file.add("ee\n");
  CHECK(lines_of(reader) == std::vector<std::string>{"three"});
  CHECK_FALSE(reader.has_rest());
  CHECK(reader.offset() == 16);
}

TEST_CASE("reading begins at an offset, and offsets are those of the file") {
  const Memory file("one\ntwo\nrest");
  LineReader reader(file.fd(), 4);
  const auto line = reader.next();
  REQUIRE((line && line.value()));
  CHECK(line.value()->text == "two");
  CHECK(line.value()->begin == 4);
  CHECK(line.value()->end == 8);
  CHECK_FALSE(reader.next().value());
  CHECK(reader.rest().text == "rest");
  CHECK(reader.offset() == 12);
}

TEST_CASE("an overlong line comes in pieces that say so") {
  const std::size_t length = 2 * kMaxLineBytes + kMaxLineBytes / 2;
  const Memory file(std::string(length, 'x') + "\nnext\n");
  LineReader reader(file.fd(), 0);
  std::size_t pieces = 0;
  std::size_t bytes = 0;
  for (;;) {
    const auto line = reader.next();
    REQUIRE((line && line.value()));
    if (line.value()->text == "next") {
      CHECK(line.value()->starts_line);
      break;
    }
    CHECK(line.value()->starts_line == (pieces == 0));
    CHECK(line.value()->text.size() <= kMaxLineBytes);
    ++pieces;
    bytes += line.value()->text.size();
  }
  CHECK(pieces == 3);
  CHECK(bytes == length);
}

TEST_CASE("a line that fits exactly is one line") {
  const Memory file(std::string(kMaxLineBytes, 'x') + "\n");
  LineReader reader(file.fd(), 0);
  CHECK(lines_of(reader).size() == 1);
}

}  // namespace pganalytics::logs
