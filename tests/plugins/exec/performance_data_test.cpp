#include "plugins/exec/performance_data.h"

#include "tests/support/catch.h"

namespace {

using namespace pganalytics::exec;

Number integer(std::int64_t value) { return value; }

Entry only(const std::string& data) {
  const Reading reading = read_nagios("OK|" + data);
  INFO(data);
  REQUIRE(reading.problems.empty());
  REQUIRE(reading.entries.size() == 1);
  return reading.entries[0];
}

TEST_CASE("the guidelines' example: text, performance data, more of both") {
  const Reading reading = read_nagios(
      "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n"
      "/ 15272 MB (77%);\n"
      "/boot 68 MB (69%); | /boot=68MB;88;93;0;98\n"
      "/home=69357MB;253404;253409;0;253414\n"
      "'/var/log'=818MB;970;975;0;980\n");
  CHECK(reading.text == "DISK OK - free space: / 3326 MB (56%);");
  CHECK(reading.problems.empty());
  REQUIRE(reading.entries.size() == 4);
  CHECK(reading.entries[0].name == "/");
  CHECK(reading.entries[0].value == integer(2643));
  CHECK(reading.entries[0].unit == "MiBy");
  CHECK(reading.entries[0].warning == "5948");
  CHECK(reading.entries[0].critical == "5958");
  CHECK(reading.entries[0].minimum == 0.0);
  CHECK(reading.entries[0].maximum == 5968.0);
  CHECK(reading.entries[1].name == "/boot");
  CHECK(reading.entries[3].name == "/var/log");
}

TEST_CASE("labels in quotes hold blanks, equals signs and doubled quotes") {
  CHECK(only("'free space'=1").name == "free space");
  CHECK(only("'a=b'=1").name == "a=b");
  CHECK(only("'it''s'=1").name == "it's");
  CHECK(only("plain=1").name == "plain");
}

TEST_CASE("units become UCUM") {
  const auto [given, unit] = GENERATE(table<const char*, const char*>({{"", "1"},
                                                                       {"s", "s"},
                                                                       {"ms", "ms"},
                                                                       {"us", "us"},
                                                                       {"%", "%"},
                                                                       {"B", "By"},
                                                                       {"KB", "KiBy"},
                                                                       {"MB", "MiBy"},
                                                                       {"GB", "GiBy"},
                                                                       {"TB", "TiBy"},
                                                                       {"C", "{C}"},
                                                                       {"req/s", "{req/s}"}}));
  const Entry entry = only(std::string("a=1.5") + given);
  CHECK(entry.unit == unit);
  CHECK(entry.value == Number(1.5));
}

TEST_CASE("c is a counter, U is not known, integers keep every digit") {
  const Entry counter = only("a=123c");
  CHECK(counter.total == integer(123));
  CHECK_FALSE(counter.value);
  const Entry unknown = only("a=U;1;2");
  CHECK_FALSE(unknown.value);
  CHECK(unknown.warning == "1");
  CHECK(only("a=-9007199254740993").value == integer(-9007199254740993));
  CHECK(only("a=18446744073709551615B").value == Number(std::uint64_t{18446744073709551615u}));
  CHECK(only("a=1e3").value == Number(1000.0));
}

TEST_CASE("ranges stay as printed; missing fields are missing") {
  const Entry entry = only("a=5;@10:20;~:30");
  CHECK(entry.warning == "@10:20");
  CHECK(entry.critical == "~:30");
  CHECK_FALSE(entry.minimum);
  CHECK(only("a=5;;;0").warning.empty());
  CHECK(only("a=5;;;0").minimum == 0.0);
  CHECK(only("a=5;").name == "a");
}

TEST_CASE("what is no performance data is a problem that shows it, and the rest counts") {
  const char* const bad = GENERATE("nonsense", "=1", "a=", "a=b", "a=1,5", "a=1;2;3;4;5;6", "a=inf", "a=nan", "a=0x1F", "a=1e999",
                                   "''=1", "'open=1 b=2", "a=1\x01");
  const Reading reading = read_nagios(std::string("OK | x=1 ") + bad);
  INFO(bad);
  CHECK(reading.entries.size() == 1);
  REQUIRE(reading.problems.size() == 1);
  CHECK(reading.problems[0].code == "exec.performance_data");
  CHECK(reading.problems[0].message.find('\x01') == std::string::npos);
}

TEST_CASE("no output, text alone, data alone, invalid UTF-8") {
  CHECK(read_nagios("").text.empty());
  CHECK(read_nagios("OK").text == "OK");
  CHECK(read_nagios("|a=1").entries.size() == 1);
  CHECK(read_nagios("\xff\xfe OK").text == "\xEF\xBF\xBD\xEF\xBF\xBD OK");
  CHECK(read_nagios(std::string(5000, 'x')).text.size() == kTextBytesMax);
}

TEST_CASE("numbers beyond the bound are left out, and it is said") {
  std::string output = "OK |";
  for (std::size_t i = 0; i < kEntriesMax + 5; ++i) output += " a=1";
  const Reading reading = read_nagios(output);
  CHECK(reading.entries.size() == kEntriesMax);
  REQUIRE(reading.problems.size() == 1);
  CHECK(reading.problems[0].code == "exec.limit");
}

}  // namespace
