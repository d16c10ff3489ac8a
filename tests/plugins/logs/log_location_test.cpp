#include "plugins/logs/server/log_location.h"

#include "tests/support/catch.h"

#include <string>

namespace pganalytics::logs {
namespace {

LogSettings collecting() {
  LogSettings settings;
  settings.logging_collector = true;
  settings.destinations = {Format::kStderr, Format::kCsvlog};
  settings.log_directory = "log";
  settings.data_directory = "/srv/pg";
  settings.log_filename = "postgresql-%Y-%m-%d_%H%M%S.log";
  return settings;
}

}  // namespace

TEST_CASE("log_filename becomes the pattern of the names that the server makes from it") {
  struct Case {
    const char* filename;
    Format format;
    const char* pattern;
  };
  for (const Case& each :
       {Case{"postgresql-%Y-%m-%d_%H%M%S.log", Format::kStderr, "postgresql-*-*-*_*.log"},
        Case{"postgresql-%Y-%m-%d_%H%M%S.log", Format::kCsvlog, "postgresql-*-*-*_*.csv"},
        Case{"postgresql-%a.log", Format::kJsonlog, "postgresql-*.json"}, Case{"server_log", Format::kStderr, "server_log"},
        Case{"server_log", Format::kCsvlog, "server_log.csv"}, Case{"100%%-%Ey%Od.log", Format::kStderr, "100%-*.log"},
        Case{".log", Format::kCsvlog, ".log.csv"}, Case{"[a]*?\\%d", Format::kStderr, "\\[a\\]\\*\\?\\\\*"},
        Case{"x%", Format::kStderr, "x*"}, Case{"*%a", Format::kStderr, "\\**"}, Case{"%%%E%", Format::kStderr, "%%"}}) {
    CAPTURE(each.filename);
    CHECK(name_pattern(each.filename, each.format) == each.pattern);
  }
}

TEST_CASE("of the formats that are written the one that says most is taken") {
  LogSettings settings = collecting();
  auto location = locate_logs(settings);
  REQUIRE(location);
  CHECK(location.value().format == Format::kCsvlog);
  CHECK(location.value().folder == "/srv/pg/log/");
  CHECK(location.value().pattern == "/srv/pg/log/postgresql-*-*-*_*.csv");
  settings.destinations.push_back(Format::kJsonlog);
  CHECK(locate_logs(settings).value().format == Format::kJsonlog);
  settings.current_files = {{Format::kStderr, "log/postgresql.log"}};  // the others are still to come
  CHECK(locate_logs(settings).value().format == Format::kStderr);
  settings.log_directory = "/var/log/pg*/";
  CHECK(locate_logs(settings).value().pattern == "/var/log/pg\\*/postgresql-*-*-*_*.log");
}

TEST_CASE("what is no folder of log files, or not told, is an error that says so") {
  const auto refused = [](void (*change)(LogSettings&)) {
    LogSettings settings = collecting();
    change(settings);
    const auto location = locate_logs(settings);
    return !location && location.error().code == "logs.discovery";
  };
  CHECK(refused([](LogSettings& s) { s.logging_collector = false; }));
  CHECK(refused([](LogSettings& s) { s.log_directory = ""; }));
  CHECK(refused([](LogSettings& s) { s.log_filename = ""; }));
  CHECK(refused([](LogSettings& s) { s.destinations = {Format::kSyslog}; }));
  CHECK(refused([](LogSettings& s) { s.log_directory = "../../etc"; }));
  CHECK(refused([](LogSettings& s) { s.log_directory = "/var/log/../../etc"; }));
  CHECK(refused([](LogSettings& s) { s.log_directory = "/"; }));
  CHECK(refused([](LogSettings& s) { s.data_directory = "/srv/./pg"; }));
  CHECK(refused([](LogSettings& s) { s.log_filename = "../shadow"; }));
  CHECK(refused([](LogSettings& s) { s.log_filename = ".pgpass"; }));
}

TEST_CASE("a folder is read here only if paths names it") {
  const std::vector<std::string> paths = {"/var/log/postgresql/*.log", "/var/lib/postgresql/*/*/log/*.log", "/srv/logs/"};
  CHECK(is_named_by(paths, "/var/log/postgresql/"));
  CHECK(is_named_by(paths, "/var/lib/postgresql/18/main/log/"));
  CHECK(is_named_by(paths, "/srv/logs/"));
  CHECK_FALSE(is_named_by(paths, "/var/log/"));
  CHECK_FALSE(is_named_by(paths, "/var/log/postgresql/deeper/"));
  CHECK_FALSE(is_named_by(paths, "/var/lib/postgresql/18/main/a/log/"));
  CHECK_FALSE(is_named_by(paths, "/var/lib/postgresql/../../log/"));
  CHECK_FALSE(is_named_by(paths, "/etc/"));
  CHECK_FALSE(is_named_by(paths, "/"));
  CHECK_FALSE(is_named_by(paths, "var/log/postgresql/"));
  CHECK_FALSE(is_named_by({"*.log", "/*"}, "/"));
}

}  // namespace pganalytics::logs
