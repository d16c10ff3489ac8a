#include "core/config/remote_overlay.h"

#include <pganalytics/text.hpp>

#include "tests/core/config/known_plugins.h"
#include "tests/support/must.h"

using namespace pganalytics;
using testing::must;

namespace {

constexpr const char* kLocal = R"(
[plugins.pg_stats]
interval = "60s"
tables_max = 50
[plugins.logs]
enabled = false
interval = "20s"
paths = ["/var/log/pg.log"]
)";

config::CollectorConfig local(const std::string& text = kLocal) {
  auto config = config::load_text(text, "c.toml");
  REQUIRE(config);
  return std::move(config).value();
}

config::CollectorConfig applied(const char* document, const std::string& text = kLocal) {
  auto config = config::apply_remote(local(text), document, config_test::known_plugins());
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return std::move(config).value();
}

}  // namespace

TEST_CASE("the document nobody changed leaves the local configuration as it is") {
  const auto config = applied(R"({"version":0,"intervals":{},"enabled_collectors":[],"log_filters":[],"retention_days":30,
                                  "compression":true,"backup_interval":"24h","plugins":{}})");
  CHECK(config.plugins.at("pg_stats").enabled);
  CHECK_FALSE(config.plugins.at("logs").enabled);
  CHECK(config.plugins.at("pg_stats").interval_ms == 60'000);
}

TEST_CASE("remote changes intervals, the enabled set, keys, filters and compression") {
  const auto config = applied(R"({"version":7,"intervals":{"pg_stats":"5s","pg_logs":3},"enabled_collectors":["pg_log"],
      "log_filters":["ERROR"],"compression":"gzip","plugins":{"pg_stats":{"tables_max":9,"databases":["a"]}}})");
  CHECK(config.remote_version == 7);
  CHECK(config.plugins.at("pg_stats").interval_ms == 5'000);
  CHECK(config.plugins.at("logs").interval_ms == 3'000);
  CHECK_FALSE(config.plugins.at("pg_stats").enabled);
  CHECK(config.plugins.at("logs").enabled);
  CHECK(config.compression == compression::Encoding::kGzip);
  const auto known = config_test::known_plugins();
  const auto stats = config::resolve(config.plugins.at("pg_stats"), known[0]);
  REQUIRE(stats);
  CHECK_THAT(stats->config_json, Catch::Contains("\"tables_max\":9") && Catch::Contains("\"databases\":[\"a\"]"));
  const auto logs = config::resolve(config.plugins.at("logs"), known[1]);
  REQUIRE(logs);
  CHECK_THAT(logs->config_json, Catch::Contains("\"severities\":[\"ERROR\"]"));
  CHECK(applied(R"({"compression":false})").compression == compression::Encoding::kIdentity);
}

TEST_CASE("a plugin without a local table can be switched on") {
  const auto config = applied(R"({"enabled_collectors":["pg_stats"],"intervals":{"pg_stats":"2s"}})", "");
  CHECK(config.plugins.at("pg_stats").enabled);
  CHECK(config.plugins.at("pg_stats").interval_ms == 2'000);
  CHECK_FALSE(applied(R"({"intervals":{"pg_stats":"2s"}})", "").plugins.at("pg_stats").enabled);
}

TEST_CASE("remote reaches each instance by its name, and makes none") {
  const std::string text =
      "[plugins.pg_stats]\n[plugins.\"pg_stats@b\"]\nconninfo = \"host=b\"\n[plugins.\"pg_stats@c\"]\npin = true\n"
      "[plugins.\"logs@b\"]\npaths = [\"/var/log/b.log\"]\n";
  const auto config = applied(R"({"enabled_collectors":["pg_stats@b","pg_log@b"],"intervals":{"pg_stats@b":"30s","pg_logs@b":3},
      "log_filters":["ERROR"],"plugins":{"pg_stats@b":{"tables_max":9},"pg_stats@c":{"tables_max":9}}})",
                              text);
  CHECK_FALSE(config.plugins.at("pg_stats").enabled);
  CHECK_FALSE(config.plugins.at("pg_stats").interval_ms);
  CHECK(config.plugins.at("pg_stats").keys.find("tables_max") == nullptr);
  CHECK(config.plugins.at("pg_stats@b").enabled);
  CHECK(config.plugins.at("pg_stats@b").interval_ms == 30'000);
  CHECK(config.plugins.at("pg_stats@b").keys.find("tables_max") != nullptr);
  CHECK(config.plugins.at("pg_stats@c").enabled);  // pinned
  CHECK(config.plugins.at("pg_stats@c").keys.find("tables_max") == nullptr);
  CHECK(config.plugins.at("logs@b").interval_ms == 3'000);
  CHECK(config.plugins.at("logs@b").keys.find("severities") != nullptr);  // filters are of all log instances
  CHECK_FALSE(config.plugins.at("logs").enabled);

  const auto near = config::apply_remote(local(text), R"({"intervals":{"pg_stats@d":"5s"}})", config_test::known_plugins());
  REQUIRE_FALSE(near);
  CHECK_THAT(near.error().hint, Catch::Contains("'pg_stats@b'"));
}

TEST_CASE("what the operator pinned stays") {
  const auto config =
      applied(R"({"intervals":{"pg_stats":"5s","logs":"5s"},"enabled_collectors":["logs"],
                                  "plugins":{"pg_stats":{"tables_max":9,"databases":["a"]}}})",
              "[plugins.pg_stats]\ninterval = \"60s\"\ntables_max = 50\npin = [\"interval\", \"tables_max\", \"enabled\"]\n"
              "[plugins.logs]\nenabled = false\ninterval = \"20s\"\npin = true\n");
  const auto& stats = config.plugins.at("pg_stats");
  CHECK(stats.enabled);
  CHECK(stats.interval_ms == 60'000);
  CHECK(std::get<std::int64_t>(stats.keys.find("tables_max")->value) == 50);
  CHECK(stats.keys.find("databases") != nullptr);
  CHECK_FALSE(config.plugins.at("logs").enabled);
  CHECK(config.plugins.at("logs").interval_ms == 20'000);
}

TEST_CASE("a wrong document is refused whole, and the key named") {
  struct Case {
    const char* document;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {R"({"intervals":{"pg_statz":"5s"}})", "intervals.pg_statz: no plugin 'pg_statz' is installed here", "'pg_stats'"},
      {R"({"enabled_collectors":["nothing"]})", "enabled_collectors: no plugin 'nothing'", "Install"},
      {R"({"enabled_collectors":["pg_stats@new"]})", "enabled_collectors: no instance 'pg_stats@new' is configured here",
       "operator"},
      {R"({"intervals":{"pg_stats@":"5s"}})", "intervals.pg_stats@: no instance 'pg_stats@'", "operator"},
      {R"({"plugins":{"pg_statz@a":{}}})", "plugins.pg_statz@a: no plugin 'pg_statz@a' is installed", "'pg_stats@a'"},
      {R"({"plugins":{"pg_statz":{}}})", "plugins.pg_statz: no plugin", "'pg_stats'"},
      {R"({"plugins":{"pg_stats":{"tables_mx":1}}})", "plugins.pg_stats.tables_mx: unknown key", "'tables_max'"},
      {R"({"plugins":{"pg_stats":{"conninfo":"host=evil"}}})", "plugins.pg_stats.conninfo: may be set on the host only",
       "own file"},
      {R"({"plugins":{"pg_stats":{"listens":"evil:5432"}}})", "plugins.pg_stats.listens: may be set on the host only",
       "own file"},
      {R"({"plugins":{"pg_stats":{"password":"x"}}})", "plugins.pg_stats.password: may be set on the host only", "own file"},
      {R"({"plugins":{"pg_stats":{"nested":{"file":"/etc/shadow"}}}})", "plugins.pg_stats.nested: may be set on the host only",
       ""},
      {R"({"plugins":{"logs":{"paths":["/etc/shadow"]}}})", "plugins.logs.paths: may be set on the host only", "own file"},
      {R"({"plugins":{"pg_stats":{"sandbox":false}}})", "plugins.pg_stats.sandbox: may be set on the host only", "own file"},
      {R"({"plugins":{"logs":{"user":"root"}}})", "plugins.logs.user: may be set on the host only", "own file"},
      {R"({"plugins":{"pg_stats":{"enabled":true}}})", "plugins.pg_stats.enabled: unknown key", ""},
      {R"({"plugins":{"pg_stats":3}})", "plugins.pg_stats: expected an object", ""},
      {R"({"intervals":{"pg_stats":"soon"}})", "intervals.pg_stats: ", "\"30s\""},
      {R"({"intervals":{"pg_stats":0}})", "intervals.pg_stats: 0 is out of range", "from 1 to"},
      {R"({"intervals":{"pg_stats":"1ms"}})", "intervals.pg_stats: 1ms is out of range", "from 1s"},
      {R"({"intervals":[]})", "intervals: expected an object", ""},
      {R"({"intervalls":{}})", "intervalls: unknown key", "'intervals'"},
      {R"({"backup_intervall":"1h"})", "backup_intervall: unknown key", "'backup_interval'"},
      {R"({"intervals":{"pg_stats":"999ms"}})", "intervals.pg_stats: 999ms is out of range", "from 1s"},
      {R"({"plugin_dirs":["/tmp"]})", "plugin_dirs: may be set on the host only", "own file"},
      {R"({"backend":{"url":"https://evil"}})", "backend: may be set on the host only", "own file"},
      {R"({"ca_file":"/tmp/ca"})", "ca_file: may be set on the host only", "own file"},
      {R"({"plugins":{"pg_stats":{"databases":[{"a":[{"token":"x"}]}]}}})",
       "plugins.pg_stats.databases.0.a.0.token: may be set on the host only", "own file"},
      {R"({"log_filters":["ERROR","FATALE"]})", "log_filters: 'FATALE' is no severity", "'FATAL'"},
      {R"({"log_filters":["Lock.*"]})", "log_filters: 'Lock.*' is no class of events", "lock.*"},
      {R"({"log_filters":["!"]})", "log_filters: '!' is no class of events", "lock.*"},
      {R"({"log_filters":["!!lock.*"]})", "log_filters: '!!lock.*' is no class of events", "lock.*"},
      {R"({"log_filters":["!ERROR"]})", "log_filters: '!ERROR' is no class of events", "lock.*"},
      {R"({"log_filters":["LOUD"]})", "log_filters: 'LOUD' is no severity", "PANIC"},
      {R"({"backup_interval":"1s"})", "backup_interval: is out of range", "\"0s\""},
      {R"({"backup_interval":"31d"})", "backup_interval: 31d is out of range", "30d"},
      {R"({"backup_interval":5})", "backup_interval: expected a duration", ""},
      {R"({"log_filters":"ERROR"})", "log_filters: expected an array of strings", ""},
      {R"({"compression":"lzma"})", "compression: 'lzma' is not one of its values", "\"gzip\""},
      {R"({"retention_days":"long"})", "retention_days: expected an integer", ""},
      {R"({"version":null})", "version: null is not a setting", ""},
      {R"([])", "is not an object", ""},
      {R"({"version":-1})", "version: -1 is out of range", "at least 0"},
      {R"({"version":18446744073709551615})", "version: a number of this size is not a setting", ""},
      {R"({"plugins":{"pg_stats":{"databases":["a",null]}}})", "plugins.pg_stats.databases.1: null is not a setting", ""},
      {R"({"intervals":{"pg_stats":2.5}})",
       "intervals.pg_stats: expected a duration with its unit, such as \"30s\" or \"5m\", found a number", ""},
      {R"({"intervals":{"pg_stats":true}})", "intervals.pg_stats: expected a duration", ""},
      {R"({"plugins":{"pg_stats":{"xyzzy":1}}})", "plugins.pg_stats.xyzzy: unknown key", "no such key"},
      {R"({"plugins":true})", "plugins: expected an object, found true or false", ""},
      {R"({"log_filters":["DEBUG9"]})", "log_filters: 'DEBUG9' is no severity", "'DEBUG'"},
      {R"({"log_filters":["DEBUG0"]})", "log_filters: 'DEBUG0' is no severity", "'DEBUG'"},
      {R"({"log_filters":["NOTICED"]})", "log_filters: 'NOTICED' is no severity", "'NOTICE'"},
      {R"({"log_filters":["{}{}{}"]})", "log_filters: '{}{}{}' is no severity", "PANIC"},
      {R"({)", "", ""},
      {R"({"version":1,"version":2})", "", ""},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.document);
    const auto config = config::apply_remote(local(), wrong.document, config_test::known_plugins());
    REQUIRE_FALSE(config);
    CHECK(config.error().status == PGA_E_CONFIG);
    CHECK_THAT(config.error().message, Catch::StartsWith(std::string("remote configuration: ") + wrong.message));
    CHECK_THAT(config.error().hint, Catch::Contains(wrong.hint));
  }
}

TEST_CASE("no remote document makes exec run a command, nor anything of one") {
  const std::string schema = must(read_text(PGANALYTICS_SOURCE_DIR "/plugins/exec/config.schema.json", 1 << 20));
  const std::vector<config::KnownPlugin> known{config_test::known_plugin("exec", schema.c_str())};
  const std::string file = R"(
[plugins.exec]
commands = [{name = "mine", argv = ["/bin/true"]}]
)";
  for (const char* const keys : {R"({"commands":[{"name":"evil","argv":["/bin/sh","-c","id"]}]})", R"({"commands":[]})",
                                 R"({"commands":null})", R"({"read_paths":["/etc/shadow"]})"}) {
    INFO(keys);
    const auto refused = config::apply_remote(local(file), R"({"plugins":{"exec":)" + std::string(keys) + "}}", known);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code != "config.unknown_key");
  }
  // Switched on where the operator has configured nothing, it has no command and is refused.
  const auto config = config::apply_remote(local("[collector]\n"), R"({"enabled_collectors":["exec"]})", known);
  REQUIRE(config);
  CHECK_FALSE(config::resolve(config.value().plugins.at("exec"), known[0]));
}

TEST_CASE("x-local keeps a key on the host, at any depth") {
  const std::vector<config::KnownPlugin> known{config_test::known_plugin("acme", R"({"type":"object","additionalProperties":false,
      "properties":{"plain":{"type":"string"},"mine":{"type":"string","x-local":true},
      "list":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string","x-local":true}}}}}})")};
  CHECK(config::apply_remote(local(""), R"({"plugins":{"acme":{"plain":"x"}}})", known));
  CHECK_FALSE(config::apply_remote(local(""), R"({"plugins":{"acme":{"mine":"x"}}})", known));
  CHECK_FALSE(config::apply_remote(local(""), R"({"plugins":{"acme":{"list":[]}}})", known));
}

TEST_CASE("what a schema says in a roundabout way stays on the host too") {
  const auto takes = [](const char* schema, const char* keys) {
    const std::vector<config::KnownPlugin> known{config_test::known_plugin("acme", schema)};
    return static_cast<bool>(config::apply_remote(local(""), R"({"plugins":{"acme":)" + std::string(keys) + "}}", known));
  };
  constexpr char kSchema[] = R"({"type": "object", "additionalProperties": true, "properties":{
      "through":{"$ref":"#/definitions/one"},
      "either":{"oneOf":[{"type":"integer"},{"type":"string","x-secret":true}]},
      "of_all":{"allOf":[{"type":"string"},{"format":"conninfo"}]},
      "map":{"type":"object","additionalProperties":{"type":"string","format":"path-read"}},
      "not_marked":{"type":"string","x-local":false,"format":"date-time"}},
    "definitions":{"one":{"$ref":"#/definitions/two"},"two":{"type":"string","x-local":true}}})";
  CHECK_FALSE(takes(kSchema, R"({"through":"x"})"));
  CHECK_FALSE(takes(kSchema, R"({"either":1})"));
  CHECK_FALSE(takes(kSchema, R"({"of_all":"x"})"));
  CHECK_FALSE(takes(kSchema, R"({"map":{}})"));
  CHECK(takes(kSchema, R"({"not_marked":"x"})"));
  constexpr char kOpen[] = R"({"type": "object", "additionalProperties": true, "properties":{"any":{"type":"object"}}})";
  CHECK(takes(kOpen, R"({"any":{"a":{"b":[1,{"c":true}]},"z":2}})"));
  CHECK_FALSE(takes(kOpen, R"({"any":{"a":{"b":[1,{"argv":[]}]}}})"));
  CHECK_FALSE(takes(R"({"type":"object"})", R"({"any":1})"));
}

TEST_CASE("the collector's own sections are refused whole") {
  const auto config = config::apply_remote(local(), R"({"tls":{},"version":1})", config_test::known_plugins());
  REQUIRE_FALSE(config);
  CHECK_THAT(config.error().message, Catch::Contains("tls: may be set on the host only"));
  CHECK(applied(R"({"compression":true})", "[collector]\ncompression = \"none\"").compression == compression::Encoding::kZstd);
  CHECK(applied(R"({"compression":"zstd"})", "[collector]\ncompression = \"none\"").compression == compression::Encoding::kZstd);
}

namespace {

std::string texts_of(const config::CollectorConfig& config, const char* instance, const char* key) {
  const config::Node* const node = config.plugins.at(instance).keys.find(key);
  std::string all;
  if (node == nullptr) return all;
  for (const auto& text : std::get<config::Node::Array>(node->value)) all += std::get<std::string>(text.value) + " ";
  return all;
}

}  // namespace

TEST_CASE("log filters are severities and classes of the plugin logs, unless the operator pinned what chooses them") {
  constexpr const char* kDocument =
      R"({"log_filters":["error","DEBUG3","debug1","Error","lock.*","!connection.*","!lock.*","other"]})";
  const auto config = applied(kDocument, "[plugins.logs]\nseverities = [\"LOG\"]\n[plugins.\"logs@b\"]\nclasses = [\"wal.*\"]\n");
  for (const char* const instance : {"logs", "logs@b"}) {
    CHECK(texts_of(config, instance, "severities") == "ERROR DEBUG ");
    CHECK(texts_of(config, instance, "classes") == "?lock.* ?other ");
    CHECK(texts_of(config, instance, "exclude_classes") == "?connection.* ?lock.* ");
  }
  CHECK(texts_of(applied(kDocument), "logs", "severities") == "ERROR DEBUG ");  // of an operator who has no table for it
  const auto empty = applied(R"({"log_filters":[]})", "[plugins.logs]\nseverities = [\"LOG\"]\nclasses = [\"wal.*\"]\n");
  CHECK(texts_of(empty, "logs", "severities") == "LOG ");
  CHECK(texts_of(empty, "logs", "classes") == "wal.* ");
  const auto severities_alone = applied(R"({"log_filters":["LOG"]})", "[plugins.logs]\nclasses = [\"wal.*\"]\n");
  CHECK(texts_of(severities_alone, "logs", "classes") == "wal.* ");
  CHECK(texts_of(severities_alone, "logs", "exclude_classes").empty());

  constexpr const char* kOwn = "severities = [\"LOG\"]\nclasses = [\"wal.*\"]\nexclude_classes = [\"query.*\"]\n";
  struct Pinned {
    const char* pin;
    const char* severities;
    const char* classes;
    const char* exclude_classes;
  };
  for (const Pinned& expected : {Pinned{"true", "LOG ", "wal.* ", "query.* "},
                                 Pinned{"[\"severities\"]", "LOG ", "?lock.* ?other ", "?connection.* ?lock.* "},
                                 Pinned{"[\"min_severity\"]", "LOG ", "?lock.* ?other ", "?connection.* ?lock.* "},
                                 Pinned{"[\"classes\"]", "ERROR DEBUG ", "wal.* ", "?connection.* ?lock.* "},
                                 Pinned{"[\"exclude_classes\"]", "ERROR DEBUG ", "?lock.* ?other ", "query.* "}}) {
    CAPTURE(expected.pin);
    const auto pinned = applied(kDocument, "[plugins.logs]\n" + std::string(kOwn) + "pin = " + expected.pin + "\n");
    CHECK(texts_of(pinned, "logs", "severities") == expected.severities);
    CHECK(texts_of(pinned, "logs", "classes") == expected.classes);
    CHECK(texts_of(pinned, "logs", "exclude_classes") == expected.exclude_classes);
  }
  // Nobody to filter for.
  CHECK(config::apply_remote(local(""), kDocument, {}));
}

TEST_CASE("remote says how often the state file is copied and how batches are compressed, unless they are pinned") {
  CHECK(applied(R"({"backup_interval":"6h"})").backup_interval_ms == 6 * 3'600'000);
  CHECK(applied(R"({"backup_interval":"0s"})").backup_interval_ms == 0);
  CHECK(applied(R"({})").backup_interval_ms == 86'400'000);
  const auto pinned = applied(R"({"backup_interval":"6h","compression":"gzip"})",
                              "[collector]\nbackup_interval = \"12h\"\ncompression = \"none\"\n"
                              "pin = [\"backup_interval\", \"compression\"]\n");
  CHECK(pinned.backup_interval_ms == 12 * 3'600'000);
  CHECK(pinned.compression == compression::Encoding::kIdentity);
}

TEST_CASE("a document larger than any server takes is not read") {
  const std::string large = R"({"plugins":{"pg_stats":{"databases":[")" + std::string(256 << 10, 'x') + R"("]}}})";
  CHECK_FALSE(config::apply_remote(local(), large, config_test::known_plugins()));
}
