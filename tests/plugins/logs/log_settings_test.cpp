#include "plugins/logs/server/log_settings.h"

#include "tests/support/catch.h"

namespace pganalytics::logs {

TEST_CASE("a server's answer becomes settings, and is remembered as they are") {
  const auto settings = parse_log_settings({{"logging_collector", "on"},
                                            {"log_destination", " StdErr, jsonlog,csvlog,eventlog,csvlog"},
                                            {"log_directory", "log"},
                                            {"data_directory", "/pg/\"data\""},
                                            {"log_filename", "postgresql-%a.log"},
                                            {"log_line_prefix", "%m\t[%p] "},
                                            {"syslog_ident", "postgres"},
                                            {"system_identifier", "7300000000000000001"},
                                            {"same_host", "true"},
                                            {"of_a_version_to_come", "1"}},
                                           {{"jsonlog", "log/postgresql-Mon.json"}, {"eventlog", "x"}, {"stderr", ""}});
  REQUIRE(settings);
  for (const LogSettings& each : {settings.value(), parse_log_settings_json(log_settings_json(settings.value())).value()}) {
    CHECK(each.logging_collector);
    CHECK(each.same_host);
    CHECK(each.destinations == std::vector<Format>{Format::kStderr, Format::kJsonlog, Format::kCsvlog});
    CHECK(each.log_directory == "log");
    CHECK(each.data_directory == "/pg/\"data\"");
    CHECK(each.log_filename == "postgresql-%a.log");
    CHECK(each.log_line_prefix == "%m\t[%p] ");
    CHECK(each.syslog_ident == "postgres");
    CHECK(each.system_identifier == 7300000000000000001U);
    REQUIRE(each.current_files.size() == 1);
    CHECK(each.current_files[0].second == "log/postgresql-Mon.json");
  }
}

TEST_CASE("what no server of ours would answer is refused") {
  CHECK_FALSE(parse_log_settings({{"log_directory", std::string(1 << 20, 'x')}}, {}));
  CHECK_FALSE(parse_log_settings({{"log_filename", "a\nb"}}, {}));
  CHECK_FALSE(parse_log_settings({{"log_line_prefix", std::string("\0", 1)}}, {}));
  CHECK_FALSE(parse_log_settings({}, {{"stderr", std::string(2000, 'x')}}));
}

TEST_CASE("a remembered text of another form is not taken") {
  for (const char* text : {"", "{", "[]", R"({"settings":{}})", R"({"settings":{"log_directory":1},"current_files":{}})",
                           R"({"settings":{"log_directory":"a\u0000"},"current_files":{}})"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_log_settings_json(text));
  }
}

}  // namespace pganalytics::logs
