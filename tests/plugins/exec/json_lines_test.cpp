#include "plugins/exec/json_lines.h"

#include "tests/support/catch.h"

namespace {

using namespace pganalytics::exec;

Number integer(std::int64_t value) { return value; }

TEST_CASE("numbers become entries, texts of the same line their labels") {
  const Reading reading = read_json_lines(
      "{\"queue\": \"mail\", \"site\": \"a\", \"length\": 12, \"oldest\": {\"age_seconds\": 3.5}}\n{\"length\":0}\n");
  CHECK(reading.problems.empty());
  REQUIRE(reading.entries.size() == 3);
  CHECK(reading.entries[0].name == "length");
  CHECK(reading.entries[0].labels == "queue=mail,site=a");
  CHECK(reading.entries[0].value == integer(12));
  CHECK(reading.entries[0].unit == "1");
  CHECK(reading.entries[1].name == "oldest.age_seconds");
  CHECK(reading.entries[1].labels == "queue=mail,site=a");
  CHECK(reading.entries[1].value == Number(3.5));
  CHECK(reading.entries[1].unit == "s");
  CHECK(reading.entries[2].labels.empty());
}

TEST_CASE("labels do not depend on the order of keys") {
  const Reading reading = read_json_lines("{\"b\":\"2\",\"a\":\"1\",\"n\":1}\n{\"a\":\"1\",\"n\":2,\"b\":\"2\"}");
  REQUIRE(reading.entries.size() == 2);
  CHECK(reading.entries[0].labels == reading.entries[1].labels);
}

TEST_CASE("a key says its unit, and whether it is a counter") {
  const Reading reading = read_json_lines(
      R"({"free_bytes":1,"bytes":2,"wait_ms":3,"used_percent":4,"requests_total":5,"sent_bytes_total":6,"kilobytes":7})");
  REQUIRE(reading.entries.size() == 7);
  CHECK(reading.entries[0].unit == "By");
  CHECK(reading.entries[1].unit == "By");
  CHECK(reading.entries[2].unit == "ms");
  CHECK(reading.entries[3].unit == "%");
  CHECK(reading.entries[4].total == integer(5));
  CHECK_FALSE(reading.entries[4].value);
  CHECK(reading.entries[5].unit == "By");
  CHECK(reading.entries[5].total == integer(6));
  CHECK(reading.entries[6].unit == "1");
}

TEST_CASE("no digit of a large integer is lost; null is not known; booleans count") {
  const Reading reading =
      read_json_lines(R"({"a":18446744073709551615,"b":-9223372036854775808,"c":null,"d":true,"e":[1,{"f":2}]})");
  REQUIRE(reading.entries.size() == 6);
  CHECK(reading.entries[0].value == Number(std::uint64_t{18446744073709551615u}));
  CHECK(reading.entries[1].value == integer(INT64_MIN));
  CHECK_FALSE(reading.entries[2].value);
  CHECK(reading.entries[3].value == integer(1));
  CHECK(reading.entries[4].name == "e.0");
  CHECK(reading.entries[5].name == "e.1.f");
}

TEST_CASE("what is no JSON object is a problem that shows its beginning, and the other lines count") {
  const auto [line, why] = GENERATE(table<std::string, std::string>({
      {"hello", "is not JSON"},
      {"[1,2]", "is not a JSON object"},
      {"{\"a\":NaN}", "is not JSON"},
      {"{\"a\":1} {\"b\":2}", "is not JSON"},
      {"{\"a\":\"\xff\xfe\"}", "is not JSON"},
      {"{\"a\":1e999}", "too big"},
      {"{\"a\":1e-999}", "too small"},
      {"7", "is not a JSON object"},
      {std::string("{\"a\0\":1", 7), "is not JSON"},
      {"{\"a\":" + std::string(20, '[') + "1" + std::string(20, ']') + "}", "nests more than 8 deep"},
      {std::string(40'000, '['), "is not a JSON object"},
      {"{\"a\":" + std::string(40'000, '['), "nests more than 8 deep"},
      {"{\"a\":\"" + std::string(kLineBytesMax, 'x') + "\"}", "more than 65536"},
  }));
  const Reading reading = read_json_lines("{\"before\":1}\n" + line + "\n\n{\"after\":2}\n");
  CHECK(reading.entries.size() == 2);
  REQUIRE(reading.problems.size() == 1);
  CHECK(reading.problems[0].code == "exec.line");
  INFO(reading.problems[0].message);
  CHECK(reading.problems[0].message.find("line 2") == 0);
  CHECK(reading.problems[0].message.find(why) != std::string::npos);
  CHECK(reading.problems[0].message.size() < 300);
}

TEST_CASE("bad lines are told a few times and then counted") {
  std::string output;
  for (int i = 0; i < 100; ++i) output += "nonsense\n";
  const Reading reading = read_json_lines(output);
  REQUIRE(reading.problems.size() == kProblemsMax + 1);
  CHECK(reading.problems.back().message.find("95 more") == 0);
}

TEST_CASE("lines and numbers beyond the bounds are left out, and it is said") {
  std::string lines, numbers = "{\"a\":[";
  for (std::size_t i = 0; i < kLinesMax + 5; ++i) lines += "{\"a\":1}\n";
  for (std::size_t i = 0; i < kEntriesMax + 5; ++i) numbers += i == 0 ? "1" : ",1";
  numbers += "]}";
  for (const auto& [output, kept] : {std::pair(lines, kLinesMax), std::pair(numbers, kEntriesMax)}) {
    const Reading reading = read_json_lines(output);
    CHECK(reading.entries.size() == kept);
    REQUIRE(reading.problems.size() == 1);
    CHECK(reading.problems[0].code == "exec.limit");
  }
}

TEST_CASE("long names and labels are cut between characters") {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\xc3\xa4";  // ä
  const Reading reading = read_json_lines("{\"" + text + "\":1,\"label\":\"" + text + "\"}");
  REQUIRE(reading.entries.size() == 1);
  CHECK(reading.entries[0].name.size() == kLabelBytesMax);
  CHECK(reading.entries[0].labels.size() <= kLabelBytesMax);
  CHECK(reading.entries[0].labels.back() == '\xa4');
}

}  // namespace
