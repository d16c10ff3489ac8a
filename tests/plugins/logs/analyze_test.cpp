// The parts of `pganalytics logs analyze`, and its report of a fixed log.
#include "plugins/logs/analyze/file_reading.h"
#include "plugins/logs/analyze/json_report.h"
#include "plugins/logs/analyze/options.h"
#include "plugins/logs/analyze/statement_group.h"
#include "plugins/logs/analyze/text_report.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <rapidjson/document.h>

#include <fstream>

namespace pganalytics::logs {
namespace {

using Catch::Contains;

constexpr char kLog[] =
    "2026-02-03 04:05:06.789 UTC [42] LOG:  connection received: host=[local]\n"
    "2026-02-03 04:05:06.790 UTC [42] LOG:  connection authorized: user=bob database=shop\n"
    "2026-02-03 04:05:07.000 UTC [42] LOG:  duration: 12.500 ms  statement: select * from orders where id in (1, 2, 3)\n"
    "2026-02-03 04:05:07.100 UTC [42] LOG:  duration: 2.500 ms  execute <unnamed>: select  *\n"
    "\tfrom orders where id in (4,5) -- page\n"
    "2026-02-03 04:05:07.150 UTC [42] LOG:  duration: 50.000 ms  statement: alter role bob password 'hush'\n"
    "2026-02-03 04:05:07.200 UTC [42] ERROR:  22P02: invalid input syntax for type integer: \"seven\"\n"
    "2026-02-03 04:05:07.200 UTC [42] STATEMENT:  select 'seven'::integer\n"
    "2026-02-03 04:05:07.250 UTC [42] ERROR:  22P02: invalid input syntax for type integer: \"eight\"\n"
    "2026-02-03 04:05:07.300 UTC [42] FATAL:  3D000: database \"no\x1Bwhere\" does not exist\n"
    "2026-02-03 04:05:07.400 UTC [7] LOG:  checkpoint complete: wrote 3 buffers (0.0%); 0 WAL file(s) added, 0 removed, 0 "
    "recycled; "
    "write=0.004 s, sync=0.002 s, total=0.020 s; sync files=2, longest=0.001 s, average=0.001 s; distance=1 kB, estimate=1 kB\n"
    "2026-02-03 04:05:07.500 UTC [9] LOG:  automatic vacuum of table \"shop.public.orders\": index scans: 1\n"
    "\tsystem usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 1.50 s\n"
    "2026-02-03 04:05:07.600 UTC [42] LOG:  temporary file: path \"base/pgsql_tmp/pgsql_tmp42.0\", size 1048576\n"
    "2026-02-03 04:05:08.000 UTC [43] LOG:  process 43 still waiting for ShareLock on transaction 5 after 1000.125 ms\n"
    "2026-02-03 04:05:08.500 UTC [43] LOG:  process 43 acquired ShareLock on transaction 5 after 1500.250 ms\n"
    "2026-02-03 04:05:09.000 UTC [42] LOG:  disconnection: session time: 1:00:02.250 user=bob database=shop host=[local]\n"
    "some program's words\n";

AnalyzeOptions options(std::vector<std::string> words) {
  words.emplace_back("file");
  auto parsed = parse_command_line(words);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return std::move(parsed).value().options;
}

struct Analyzed {
  std::string code;  // of the error
  std::string json, text;
};

Analyzed analyze(const std::string& log, const std::vector<std::string>& words = {}, const std::string& name = "a.log") {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / name, std::ios::binary) << log;
  const AnalyzeOptions chosen = options(words);
  Analysis analysis(chosen.limits);
  const Outcome read = read_file(folder / name, chosen, analysis, [](std::uint64_t) {});
  Figures& figures = analysis.figures();
  for (FileFigures& file : figures.files) file.path = name;
  return {read ? "" : read.error().code, json_report(figures, chosen.top), text_report(figures, chosen.top)};
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the report of a fixed log is the golden one", "[analyze]") {
  const std::string golden = PGANALYTICS_SOURCE_DIR "/tests/plugins/logs/analyze_golden.json";
  const Analyzed analyzed = analyze(kLog);
  if (std::getenv("PGANALYTICS_REGENERATE") != nullptr) std::ofstream(golden, std::ios::binary) << analyzed.json;
  CHECK(analyzed.code.empty());
  CHECK(analyzed.json == content(golden));
}

TEST_CASE("the report for people has the same figures, and control bytes do not reach the terminal", "[analyze]") {
  const std::string text = analyze(kLog).text;
  CHECK_THAT(text, Contains("15 entries in") && Contains("1 of 16 lines do not fit the format"));
  CHECK_THAT(text, Contains("2  22P02 invalid input syntax for type integer: \"[redacted]\""));
  CHECK_THAT(text, Contains("database \"no\\x1bwhere\" does not exist"));
  CHECK_THAT(text, Contains("2          15.0         7.5        12.5  select * from orders where id in (?)"));
  CHECK_THAT(text, Contains("s, longest on shop.public.orders"));
  CHECK(text.find('\x1B') == std::string::npos);
}

TEST_CASE("redact hides more or shows an example, and no password ever", "[analyze]") {
  const std::string all = analyze(kLog, {"--redact", "all"}).json;
  CHECK_THAT(all, !Contains("orders where") && !Contains("seven"));
  const std::string parameters = analyze(kLog).json;
  CHECK_THAT(parameters, Contains("id in (?)") && !Contains("seven"));
  const std::string none = analyze(kLog, {"--redact", "none"}).json;
  CHECK_THAT(none, Contains("id in (1, 2, 3)") && Contains("seven") && !Contains("eight"));
  for (const std::string& report : {all, parameters, none}) CHECK_THAT(report, !Contains("hush"));
}

TEST_CASE("times leave out what was before, then, and later", "[analyze]") {
  CHECK_THAT(analyze(kLog, {"--from", "2026-02-03 04:05:08"}).json, Contains("\"entries\":{\"count\":3,"));
  CHECK_THAT(analyze(kLog, {"--to", "2026-02-03T04:05:07Z"}).json, Contains("\"entries\":{\"count\":2,"));
  CHECK_THAT(analyze(kLog, {"--from", "2026-02-03 05:05:00 +01", "--to", "2026-02-04"}).json,
             Contains("\"entries\":{\"count\":14,"));
}

TEST_CASE("what is no log of that format is an error", "[analyze]") {
  CHECK(analyze("root:x:0:0\n\n").code == "logs.no_entries");
  CHECK(analyze("\x1F\x8B\x08rest").code == "logs.compressed");
  CHECK(analyze("").code.empty());
  CHECK(analyze("{", {}, "a.json").code == "logs.no_entries");
  const AnalyzeOptions chosen = options({});
  Analysis analysis(chosen.limits);
  const Outcome missing = read_file("/no such file", chosen, analysis, [](std::uint64_t) {});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == "logs.open");
}

TEST_CASE("a hostile log is counted all the same, in bounded memory", "[analyze]") {
  const std::string start = "2026-02-03 04:05:06.789 UTC [42] ";
  constexpr int kStatements = 25'000;
  std::string log = std::string("\xFF\xFE\0\n", 4) + std::string(3 << 20, 'x') + "\n";
  for (int i = 0; i < kStatements; ++i) {
    log += start + "LOG:  duration: 1.000 ms  statement: select a" + std::to_string(i) + std::string("\xC3 \0 '", 6) + "\n";
    log += start + "ERROR:  relation \"t" + std::to_string(i) + "\" does not exist\n";
  }
  log += start + "LOG:  duration: 99999999999999999999999999999999999 ms  statement: '\n" + start + "ERROR:  ";
  const Analyzed analyzed = analyze(log);
  CHECK(analyzed.code.empty());
  rapidjson::Document report;
  report.Parse<rapidjson::kParseValidateEncodingFlag>(analyzed.json.c_str());
  REQUIRE_FALSE(report.HasParseError());
  CHECK(report["severities"]["ERROR"].GetInt() == kStatements + 1);
  CHECK_FALSE(report["statements"]["complete"].GetBool());
  CHECK(report["statements"]["groups"].GetUint() <= Figures::kMaxGroups);
  CHECK(report["statements"]["given_up"]["count"].GetUint() + report["statements"]["groups"].GetUint() == kStatements);
  for (const char c : analyzed.text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
}

TEST_CASE("a wrong command line says what is wrong", "[analyze]") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"--format", "xml", "f"},
                                                {"--line-prefix", "%y", "f"},
                                                {"--redact", "some", "f"},
                                                {"--from", "soon", "f"},
                                                {"--top", "many", "f"},
                                                {"--jsn", "f"},
                                                {"-", "-"}}) {
    const auto parsed = parse_command_line(words);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().status == PGA_E_CONFIG);
  }
  const auto help = parse_command_line({"--help"});
  REQUIRE(help);
  CHECK_THAT(help->help.value_or(""), Contains("--line-prefix") && Contains("Exit codes"));
}

TEST_CASE("statements are one group whatever their values, blanks and lists", "[analyze]") {
  CHECK(statement_group("select *\n from t  where a in (1, 2,3) and b = 'x';", 100) ==
        "select * from t where a in (?) and b = ?");
  CHECK(statement_group("insert into t values (1, 'a'), (2, 'b')", 100) == "insert into t values (?), (?)");
  CHECK(statement_group("select \xC3\xA9\xC3\xA9", 8) == "select ...");
  CHECK(timed_statement("duration: 1.0 ms  statement: select 1") == "select 1");
  CHECK(timed_statement("duration: 1.0 ms  execute p: select 1") == "select 1");
  CHECK_FALSE(timed_statement("duration: 1.0 ms  bind p: select 1"));
  CHECK_FALSE(timed_statement("duration: 1.0 ms"));
  CHECK_FALSE(timed_statement("statement: select 1"));
}

TEST_CASE("beyond their number the lightest groups are given up, and sums stay exact", "[analyze]") {
  TopGroups<Measure> groups(100);
  for (int i = 0; i < 10'000; ++i) {
    groups.of("rare " + std::to_string(i)).add(1);
    groups.of("often").add(2);
  }
  CHECK(groups.size() <= 100);
  CHECK_FALSE(groups.complete());
  const auto top = groups.top(1);
  REQUIRE(top.size() == 1);
  CHECK(top[0].first == "often");
  CHECK(top[0].second.count == 10'000);
  Measure sum = groups.others();
  for (const auto& group : groups.top(100)) sum.merge(group.second);
  CHECK(sum.count == 20'000);
  CHECK(sum.total == 30'000);
}

}  // namespace pganalytics::logs
