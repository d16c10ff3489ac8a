#include "core/server/api/config_document.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::server::api;

namespace {

Expected<ConfigDocument> read(const std::string& text) {
  return read_config(text, [](const std::string& id) -> Expected<bool> { return id == "acme_pool"; });
}

std::string refusal(const std::string& text) {
  const auto document = read(text);
  CAPTURE(text);
  REQUIRE_FALSE(document);
  CHECK(document.error().status == PGA_E_CONFIG);
  return document.error().message;
}

}  // namespace

TEST_CASE("what is given is stored whole, in canonical form") {
  CHECK(read("{}").value().json == default_config());
  const auto document = read(R"({"plugins":{"pg_logs":{"min_severity":"warning","nested":{"n":9007199254740993}},"acme_pool":{}},
      "intervals":{"disk_usage":"5m","pg_stats":30},"enabled_collectors":["pg_stats","pg_log","logs"],"log_filters":["error","FATAL","Error"],
      "compression":"gzip","retention_days":7,"backup_interval":"1d"})");
  REQUIRE(document);
  CHECK(document.value().json ==
        R"({"intervals":{"disk":"5m","pg_stats":"30s"},"enabled_collectors":["pg_stats","logs"],)"
        R"("log_filters":["ERROR","FATAL"],"retention_days":7,"compression":"gzip","backup_interval":"1d",)"
        R"("plugins":{"logs":{"min_severity":"warning","nested":{"n":9007199254740993}},"acme_pool":{}}})");
  CHECK(with_version(3, document.value().json).rfind(R"({"version":3,"intervals":{)", 0) == 0);
  // What was stored can be given again.
  CHECK(read(with_version(3, document.value().json)).value().json == document.value().json);
  CHECK(read(R"({"version":3})").value().version == 3u);
}

TEST_CASE("instances go by the plugin's id and their own name; which there are the collector knows") {
  const auto document =
      read(R"({"enabled_collectors":["pg_stats","pg_log@b","logs@b","acme_pool@x"],"intervals":{"pg_stats@b":30},
      "plugins":{"pg_stats":{},"disk_usage@b":{"paths_max":3}}})");
  REQUIRE(document);
  CHECK_THAT(document.value().json, Catch::Contains(R"("enabled_collectors":["pg_stats","logs@b","acme_pool@x"])") &&
                                        Catch::Contains(R"("intervals":{"pg_stats@b":"30s"})") &&
                                        Catch::Contains(R"("plugins":{"pg_stats":{},"disk@b":{"paths_max":3}})"));
  CHECK_THAT(refusal(R"({"intervals":{"pg_stats@B":"30s"}})"),
             Catch::StartsWith("intervals.pg_stats@B: 'B' is not an instance's name"));
  CHECK_THAT(refusal(R"({"intervals":{"pg_stats@":"30s"}})"), Catch::StartsWith("intervals.pg_stats@: "));
  CHECK_THAT(refusal(R"({"intervals":{"pg_statz@b":"30s"}})"), Catch::Contains("\"pg_stats@b\""));
  CHECK_THAT(refusal(R"({"intervals":{"logs@b":"30s","pg_logs@b":"5s"}})"), Catch::Contains("named twice"));
  CHECK_THAT(refusal(R"({"plugins":{"pg_stats@b":{"conninfo":"host=evil"}}})"), Catch::StartsWith("plugins.pg_stats@b.conninfo"));
}

TEST_CASE("a refusal begins with the path of the key, and names what was probably meant") {
  using Catch::Matchers::StartsWith;
  CHECK_THAT(refusal(R"({"intervals":{"pg_statz":"30s"}})"), StartsWith("intervals.pg_statz: "));
  CHECK(refusal(R"({"intervals":{"pg_statz":"30s"}})").find("\"pg_stats\"") != std::string::npos);
  CHECK(refusal(R"({"interval":{}})") == "interval: unknown key; did you mean \"intervals\"?");
  CHECK_THAT(refusal(R"({"enabled_collectors":["pg_stats","nope"]})"), StartsWith("enabled_collectors[1]: "));
  CHECK_THAT(refusal(R"({"plugins":{"../x":{}}})"), StartsWith("plugins.../x: "));
  CHECK_THAT(refusal(R"({"log_filters":["ERROR","FATALE"]})"), StartsWith("log_filters[1]: "));
  CHECK(refusal(R"({"log_filters":["FATALE"]})").find("'FATAL'") != std::string::npos);
}

TEST_CASE("wrong types and values") {
  using Catch::Matchers::StartsWith;
  for (const char* interval :
       {"0", "-5", "86401", "1.5", "true", "null", R"("30")", R"("0s")", R"("500ms")", R"("2d")", R"("soon")", "1e300"}) {
    CHECK_THAT(refusal(R"({"intervals":{"pg_stats":)" + std::string(interval) + "}}"), StartsWith("intervals.pg_stats: "));
  }
  CHECK(read(R"({"intervals":{"pg_stats":"1s","disk":86400}})"));
  CHECK_THAT(refusal(R"({"intervals":[]})"), StartsWith("intervals: "));
  CHECK_THAT(refusal(R"({"enabled_collectors":"pg_stats"})"), StartsWith("enabled_collectors: "));
  CHECK_THAT(refusal(R"({"enabled_collectors":[1]})"), StartsWith("enabled_collectors[0]: "));
  CHECK_THAT(refusal(R"({"compression":"lz4"})"), StartsWith("compression: "));
  CHECK_THAT(refusal(R"({"compression":1})"), StartsWith("compression: "));
  for (const char* days : {"0", "3651", "1.5", "\"30\""}) {
    CHECK_THAT(refusal(R"({"retention_days":)" + std::string(days) + "}"), StartsWith("retention_days: "));
  }
  CHECK_THAT(refusal(R"({"backup_interval":24})"), StartsWith("backup_interval: "));
  CHECK_THAT(refusal(R"({"version":-1})"), StartsWith("version: "));
  CHECK_THAT(refusal(R"({"plugins":{"disk":[]}})"), StartsWith("plugins.disk: "));
  CHECK_THAT(refusal(R"({"plugins":{"disk":{"interval":"5s"}}})"), StartsWith("plugins.disk.interval: "));
  CHECK_THAT(refusal(R"({"plugins":{"disk":{"enabled":true}}})"), StartsWith("plugins.disk.enabled: "));
  CHECK_THAT(refusal(R"({"intervals":{"logs":"5s","pg_logs":"6s"}})"), StartsWith("intervals.pg_logs: "));
  for (const char* text : {"", "[]", "null", "{", "{} {}", R"({"compression":true,"compression":false})"}) {
    CHECK_THAT(refusal(text), StartsWith("the document: "));
  }
  CHECK_THAT(refusal(R"({"plugins":{"disk":{"x":)" + std::string(100, '[') + std::string(100, ']') + "}}}"),
             StartsWith("the document: "));
}

TEST_CASE("connections, paths, commands, SQL, addresses and secrets are set on the host only") {
  for (const char* key : {"conninfo", "paths", "log_paths", "FILE", "api_token", "pre_command", "sql", "url", "redact", "address",
                          "hostaddr", "port", "statement", "sslkey", "scriptFile"}) {
    CAPTURE(key);
    const auto document = read(R"({"plugins":{"logs":{"a":[{"b":{")" + std::string(key) + R"(":1}}]}}})");
    REQUIRE_FALSE(document);
    CHECK(document.error().code == "config.host_only");
    CHECK(document.error().message.rfind("plugins.logs.a[0].b." + std::string(key) + ": ", 0) == 0);
  }
  // What a plugin may do on its host, and the collector's own file.
  for (const char* key :
       {"user", "groups", "capabilities", "sandbox", "isolation", "allow_exec", "memory_max", "cpu_max", "pin", "timeout"}) {
    CAPTURE(key);
    CHECK(read(R"({"plugins":{"disk":{")" + std::string(key) + R"(":1}}})").error().code == "config.host_only");
  }
  for (const char* key : {"backend", "collector", "spool", "tls", "state_dir", "plugin_dirs", "ca_file"}) {
    CAPTURE(key);
    const auto document = read(R"({")" + std::string(key) + R"(":{"url":"https://evil"}})");
    REQUIRE_FALSE(document);
    CHECK(document.error().code == "config.host_only");
    CHECK(document.error().message.rfind(std::string(key) + ": ", 0) == 0);
  }
}

TEST_CASE("what the collector said of the document may come back with it, and is not part of it") {
  const auto document =
      read(R"({"version":3,"retention_days":7,"collector":{"version":3,"state":"applied","reason":null,"at":"x"}})");
  REQUIRE(document);
  CHECK(document->json.find("collector\"") == std::string::npos);
  CHECK(document->json.find(R"("retention_days":7)") != std::string::npos);
}

TEST_CASE("log files say DEBUG1 to DEBUG5, the plugin knows one DEBUG") {
  CHECK(read(R"({"log_filters":["DEBUG1","debug5","DEBUG","LOG"]})")->json.find(R"("log_filters":["DEBUG","LOG"])") !=
        std::string::npos);
}

TEST_CASE("log filters name severities, classes and what is not wanted of them") {
  const auto document =
      read(R"({"log_filters":["error","lock.*","!connection.*","*.deadlock","other","!other","lock.*","!connection.*"]})");
  REQUIRE(document);
  CHECK_THAT(document->json,
             Catch::Contains(R"("log_filters":["ERROR","lock.*","!connection.*","*.deadlock","other","!other"])"));
  CHECK(read(R"({"log_filters":["*.)" + std::string(62, 'a') + R"("]})"));
  for (const std::string& bad :
       {std::string("Lock.*"), std::string("lock.1"), std::string("lock .*"), std::string("!"), std::string("!!lock.*"),
        std::string("!ERROR"), std::string("lock!.*"), std::string("lock.[ab]"), "*." + std::string(63, 'a')}) {
    CAPTURE(bad);
    CHECK_THAT(refusal(R"({"log_filters":["ERROR",")" + bad + "\"]}"),
               Catch::StartsWith("log_filters[1]: '" + bad + "' is no class of events"));
  }
  for (const char* bad : {"lock", "", "others"}) {
    CAPTURE(bad);
    CHECK_THAT(refusal(R"({"log_filters":[")" + std::string(bad) + "\"]}"), Catch::Contains("is no severity"));
  }
  CHECK_THAT(refusal(R"({"log_filters":[7]})"), Catch::StartsWith("log_filters[0]: "));
  std::string many = "\"ERROR\"";
  for (int i = 0; i < 64; ++i) many += ",\"ERROR\"";
  CHECK_THAT(refusal("{\"log_filters\":[" + many + "]}"), Catch::StartsWith("log_filters: has more than 64"));
}

TEST_CASE("copies of the state file: never, or from each minute to each month") {
  for (const char* good : {"0s", "1m", "24h", "30d"}) CHECK(read(R"({"backup_interval":")" + std::string(good) + "\"}"));
  for (const char* bad : {"59s", "1ms", "31d", "", "often", "-1h"}) {
    CAPTURE(bad);
    CHECK(refusal(R"({"backup_interval":")" + std::string(bad) + "\"}").rfind("backup_interval: ", 0) == 0);
  }
}
