// `pganalytics logs analyze` of a real server's logs: the same figures from each format.
#include "core/postgres/connection.h"
#include "plugins/logs/analyze/file_reading.h"
#include "plugins/logs/analyze/json_report.h"
#include "tests/plugins/logs/syslog_writer.h"
#include "tests/plugins/logs/written_reports.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

#include <rapidjson/document.h>

#include <cstdlib>
#include <fstream>
#include <map>

namespace pganalytics::logs {
namespace {

constexpr char kPrefix[] = "%m|%p|%e|%q%u|%d|";

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

testing::PostgresServer::Settings settings(const std::string& destinations) {
  return {{"logging_collector", "on"},
          {"log_destination", destinations},
          {"log_directory", "log"},
          {"log_filename", "postgresql.log"},
          {"log_line_prefix", kPrefix},
          {"log_timezone", "UTC"},
          {"lc_messages", "C"},
          {"log_connections", "on"},
          {"log_disconnections", "on"},
          {"log_checkpoints", "on"},
          {"log_temp_files", "0"},
          {"work_mem", "64kB"},
          {"log_min_duration_statement", "0"}};
}

void provoke(testing::PostgresServer& server) {
  for (int i = 0; i < 5; ++i) {
    auto opened = postgres::Connection::open(server.conninfo(), {}, postgres::deadline_in(std::chrono::seconds(20)));
    REQUIRE(opened);
    for (const std::string& sql :
         {"select " + std::to_string(i) + ", 'a\nb'", std::string("select 1/0"), "select * from nowhere" + std::to_string(i % 2),
          std::string("select count(*) from (select g from generate_series(1, 30000) g order by 1) s")}) {
      static_cast<void>(opened->execute(sql, postgres::deadline_in(std::chrono::seconds(20))));
    }
  }
  server.sql("postgres", "checkpoint");
  server.stop();
}

// Without what names the file.
std::string report_of(const std::string& path) {
  auto parsed = parse_command_line({"--line-prefix", kPrefix, "--top", "100", path});
  REQUIRE(parsed);
  Analysis analysis(parsed->options.limits);
  const Outcome read = read_file(path, parsed->options, analysis, [](std::uint64_t) {});
  INFO((read ? "" : read.error().message));
  REQUIRE(read);
  CHECK(analysis.figures().files.at(0).problems.empty());
  analysis.figures().files.clear();
  return json_report(analysis.figures(), parsed->options.top);
}

// "count" of the list's object whose `key` is `text`; 0: there is none.
int count_in(const rapidjson::Value& list, const char* key, const std::string& text) {
  for (const auto& object : list.GetArray()) {
    if (object[key].IsString() && object[key].GetString() == text) return object["count"].GetInt();
  }
  return 0;
}

}  // namespace

TEST_CASE("a real server's logs are the same report in each format") {
  const char* const major = std::getenv("PGANALYTICS_TEST_PG_MAJOR");
  const bool has_json = major == nullptr || std::atoi(major) >= 15;
  testing::PostgresServer server(settings(has_json ? "stderr,csvlog,jsonlog" : "stderr,csvlog"));
  provoke(server);
  const std::string folder = server.data_dir() + "/log/";
  std::map<std::string, std::string> paths = {{"csvlog", folder + "postgresql.csv"}};
  if (has_json) paths["jsonlog"] = folder + "postgresql.json";
  for (const std::string& path :
       {folder + "postgresql.log", folder + "postgresql.csv", has_json ? paths["jsonlog"] : paths["csvlog"]}) {
    REQUIRE(testing::eventually([&] { return content(path).find("database system is shut down") != std::string::npos; }));
  }
  paths["syslog"] = folder + "syslog";
  SyslogWriter writer(SyslogStyle::kRfc5424);
  std::ofstream syslog(paths["syslog"], std::ios::binary);
  for (const WrittenReport& report : reports_of(content(folder + "postgresql.log"))) syslog << writer.write(report);
  syslog.close();

  const std::string expected = report_of(folder + "postgresql.log");
  rapidjson::Document figures;
  figures.Parse(expected.c_str());
  CHECK(figures["severities"]["ERROR"].GetInt() == 10);
  CHECK(count_in(figures["errors"]["sqlstates"], "condition", "division_by_zero") == 5);
  CHECK(count_in(figures["errors"]["messages"], "message", "division by zero") == 5);
  CHECK(count_in(figures["errors"]["messages"], "message", "relation \"nowhere0\" does not exist") == 3);
  CHECK(count_in(figures["statements"]["slowest"], "statement", "select ?") == 5);
  CHECK(figures["temporary_files"]["count"].GetInt() >= 5);
  CHECK(figures["checkpoints"]["count"].GetInt() >= 1);
  CHECK(figures["connections"]["ended_sessions"]["count"].GetInt() >= 5);
  for (const auto& [format, path] : paths) {
    CAPTURE(format);
    CHECK(report_of(path) == expected);
  }
}

}  // namespace pganalytics::logs
