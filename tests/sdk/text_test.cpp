#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <pganalytics/text.hpp>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using pganalytics::next_line;
using pganalytics::next_word;
using pganalytics::read_text;
using pganalytics::to_bytes;
using pganalytics::to_duration;
using pganalytics::to_number;
using pganalytics::testing::TemporaryFolder;

namespace {

std::string written(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "text", std::ios::binary) << text;
  return folder / "text";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (const auto line = next_line(text)) lines.emplace_back(*line);
  return lines;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) words.emplace_back(word);
  return words;
}

}  // namespace

TEST_CASE("a file is read whole, whatever its bytes and however many blocks it has") {
  const TemporaryFolder folder;
  const std::string text = std::string(40'000, 'x') + std::string("\0\xFF\n", 3);
  CHECK(read_text(written(folder, text), 1 << 20).value() == text);
  CHECK(read_text(written(folder, ""), 0).value().empty());
}

TEST_CASE("a file of /proc, which says no size, is read whole") {
  CHECK(read_text("/proc/self/stat", 1 << 20).value().find(std::to_string(::getpid())) == 0);
}

TEST_CASE("a file of max_bytes is read, one byte more is refused") {
  const TemporaryFolder folder;
  const std::string path = written(folder, std::string(20'000, 'x'));
  CHECK(read_text(path, 20'000));
  const auto refused = read_text(path, 19'999);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_FAIL);
  CHECK(refused.error().message == "cannot read " + path + ": File too large");
}

TEST_CASE("what cannot be read is an error that names the file and carries the caller's code") {
  const TemporaryFolder folder;
  const auto absent = read_text(folder / "absent", 100);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().status == PGA_E_FAIL);
  CHECK(absent.error().code == "file.unreadable");
  CHECK(absent.error().message == "cannot read " + folder / "absent" + ": No such file or directory");

  const auto is_folder = read_text(folder.path(), 100, "acme.state");
  REQUIRE_FALSE(is_folder);
  CHECK(is_folder.error().code == "acme.state");
}

TEST_CASE("a file that we may not read is denied") {
  if (::geteuid() == 0) return;  // root may read all
  const TemporaryFolder folder;
  const std::string path = written(folder, "secret");
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  const auto denied = read_text(path, 100);
  REQUIRE_FALSE(denied);
  CHECK(denied.error().status == PGA_E_DENIED);
}

TEST_CASE("lines: empty ones count, the last needs no newline") {
  CHECK(lines_of("one\n\ntwo\n") == std::vector<std::string>{"one", "", "two"});
  CHECK(lines_of("one\ntwo") == std::vector<std::string>{"one", "two"});
  CHECK(lines_of("\n") == std::vector<std::string>{""});
  CHECK(lines_of("").empty());
}

TEST_CASE("words are parted by any number of blanks, and no bytes but blanks part them") {
  CHECK(words_of("  cpu0\t 12  34 \n") == std::vector<std::string>{"cpu0", "12", "34"});
  CHECK(words_of(std::string_view("a\0b c", 5)) == std::vector<std::string>{std::string("a\0b", 3), "c"});
  CHECK(words_of(" \t ").empty());
  std::string_view rest = "total=5 avg";
  CHECK(next_word(rest) == "total=5");
  CHECK(rest == " avg");
}

TEST_CASE("a number is the whole word or none") {
  CHECK(to_number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(to_number<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(to_number<double>("0.25") == 0.25);
  CHECK(to_number<double>("-1e3") == -1000.0);
  for (const char* const word : {"", " 1", "1 ", "+1", "-1", "12kB", "0x1F", "1.5", "18446744073709551616"}) {
    CAPTURE(word);
    CHECK_FALSE(to_number<std::uint64_t>(word));
  }
  CHECK_FALSE(to_number<std::uint8_t>("256"));
  CHECK_FALSE(to_number<double>("1,5"));
  CHECK_FALSE(to_number<std::uint64_t>(std::string_view("1\0", 2)));
}

TEST_CASE("durations and sizes are whole numbers with the units of the configuration") {
  using std::chrono::milliseconds;
  CHECK(to_duration("500ms") == milliseconds(500));
  CHECK(to_duration("90s") == milliseconds(90'000));
  CHECK(to_duration("2d") == milliseconds(172'800'000));
  CHECK(to_bytes("4096") == 4096);
  CHECK(to_bytes("8KiB") == 8192);
  CHECK(to_bytes("10MB") == 10'000'000);
  for (const char* const text : {"", "s", "5", "1.5s", "-1s", " 1s", "1 s", "1S", "9223372036854775807d"}) {
    CAPTURE(text);
    CHECK_FALSE(to_duration(text));
  }
  for (const char* const text : {"", "KiB", "1kb", "-1", "1 MiB", "9223372036854775807KiB", "18446744073709551616"}) {
    CAPTURE(text);
    CHECK_FALSE(to_bytes(text));
  }
}
