#include "plugins/logs/follow/line_reader.h"

#include "tests/support/catch.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

// A file that hands out a few bytes at a time, as one that is far away may.
class Memory : public ReadableFile {
 public:
  explicit Memory(std::string text) : ReadableFile({}), text_(std::move(text)) {}
  void add(const std::string& text) { text_ += text; }
  [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
    constexpr std::size_t kMost = 100'000;
    return text_.substr(std::min(offset, text_.size())).copy(to, std::min(length, kMost));
  }

 private:
  std::string text_;
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
  Memory file("one\r\n\ntwo\nthr");
  LineReader reader(file, 0);
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
  LineReader reader(file, 4);
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
  LineReader reader(file, 0);
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
  LineReader reader(file, 0);
  CHECK(lines_of(reader).size() == 1);
}

}  // namespace pganalytics::logs
