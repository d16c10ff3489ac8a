#include "core/config/plugin_config.h"

#include "core/schema/json_text.h"
#include "tests/core/config/known_plugins.h"

using namespace pganalytics;

namespace {

config::CollectorConfig loaded(const std::string& text) {
  auto config = config::load_text(text, "c.toml");
  REQUIRE(config);
  return std::move(config).value();
}

Expected<config::ResolvedPlugin> resolved(const std::string& text, const std::string& id) {
  const auto known = config_test::known_plugins();
  return config::resolve(loaded(text).plugins.at(id), *config::find_plugin(known, id));
}

}  // namespace

TEST_CASE("a plugin gets its keys as JSON with the defaults filled in") {
  const auto plugin = resolved("[plugins.pg_stats]\ninterval = \"5s\"\ntables_max = 7\n", "pg_stats");
  REQUIRE(plugin);
  const auto json = schema::parse_json(plugin->config_json);
  REQUIRE(json);
  CHECK((*json)["tables_max"] == 7);
  CHECK((*json)["databases"][0] == "*");
  CHECK_FALSE(json->HasMember("interval"));
  CHECK(plugin->interval_ms == 5'000);
  CHECK(plugin->timeout_ms == 5'000);  // the default of 30 s would outlive the interval
}

TEST_CASE("without its own times a plugin runs by the descriptor's") {
  const auto plugin = resolved("[plugins.pg_stats]", "pg_stats");
  REQUIRE(plugin);
  CHECK(plugin->interval_ms == 60'000);
  CHECK(plugin->timeout_ms == 30'000);
}

TEST_CASE("a plugin's own key that does not fit is told with its line") {
  struct Case {
    const char* text;
    const char* id;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {"[plugins.pg_stats]\n\ntables_mx = 1", "pg_stats", "c.toml:3: plugins.pg_stats.tables_mx: unknown key", "'tables_max'"},
      {"[plugins.pg_stats]\nintervall = \"5s\"", "pg_stats", "c.toml:2: plugins.pg_stats.intervall: unknown key", "'interval'"},
      {"[plugins.pg_stats]\nxyzzy = 1", "pg_stats", "c.toml:2: plugins.pg_stats.xyzzy: unknown key", "plugin describe pg_stats"},
      {"[plugins.pg_stats]\ntables_max = 0", "pg_stats", "c.toml:2: plugins.pg_stats.tables_max: must have minimum 1",
       "describe"},
      {"[plugins.pg_stats]\ntables_max = \"many\"", "pg_stats", "c.toml:2: plugins.pg_stats.tables_max: must be of type",
       "describe"},
      {"[plugins.pg_stats]\ndatabases = [\n\"a\",\n5]", "pg_stats", "c.toml:4: plugins.pg_stats.databases.1: must be of type",
       "describe"},
      {"[plugins.logs]", "logs", "c.toml:1: plugins.logs: lacks 'paths'", "describe"},
      {"[plugins.\"pg_stats@b\"]\nxyzzy = 1", "pg_stats@b", "c.toml:2: plugins.pg_stats@b.xyzzy: unknown key",
       "plugin describe pg_stats`"},
      {"[plugins.\"pg_stats@b\"]\ntables_max = 0", "pg_stats@b", "c.toml:2: plugins.pg_stats@b.tables_max: must have minimum 1",
       "plugin describe pg_stats`"},
      {"[plugins.logs]\npaths = [\"relative\"]", "logs", "c.toml:2: plugins.logs.paths.0: ", ""},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.text);
    const auto plugin = resolved(wrong.text, wrong.id);
    REQUIRE_FALSE(plugin);
    CHECK(plugin.error().status == PGA_E_CONFIG);
    CHECK_THAT(plugin.error().message, Catch::StartsWith(wrong.message));
    CHECK_THAT(plugin.error().hint, Catch::Contains(wrong.hint));
  }
}

TEST_CASE("the secrets a configuration names are known to the host") {
  const auto plain = config_test::known_plugin("p", R"({"type": "object"})");
  const auto config = loaded("[plugins.p]\npassword = { \"$secret\" = \"db1\" }\nlist = [{ \"$secret\" = \"db2\" }]\n");
  const auto plugin = config::resolve(config.plugins.at("p"), plain);
  REQUIRE(plugin);
  CHECK(plugin->secret_names == std::set<std::string>{"db1", "db2"});
}

TEST_CASE("a plugin gets booleans, numbers, lists and tables as they were written") {
  const auto plain = config_test::known_plugin("p", R"({"type": "object"})");
  const auto config = loaded("[plugins.p]\nflag = true\nratio = 0.5\ncount = 3\nlist = [1, \"a\", {b = false}]\n");
  const auto plugin = config::resolve(config.plugins.at("p"), plain);
  REQUIRE(plugin);
  const auto json = schema::parse_json(plugin->config_json);
  REQUIRE(json);
  CHECK((*json)["flag"].IsTrue());
  CHECK((*json)["ratio"].GetDouble() == 0.5);
  CHECK((*json)["count"] == 3);
  CHECK((*json)["list"][1] == "a");
  CHECK((*json)["list"][2]["b"].IsFalse());
}

TEST_CASE("what is wrong deep inside a plugin's keys is told by the deepest place that was written") {
  const auto plain = config_test::known_plugin("p", R"({"type": "object", "additionalProperties": true, "properties": {
      "list": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["name"],
                                          "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}},
      "few": {"type": "array", "maxItems": 1}}})");
  const auto refusal = [&](const std::string& keys) {
    const auto plugin = config::resolve(loaded("[plugins.p]\n" + keys).plugins.at("p"), plain);
    REQUIRE_FALSE(plugin);
    return plugin.error();
  };
  CHECK_THAT(refusal("list = [{name = \"a\"},\n{size = 1}]").message,
             Catch::StartsWith("c.toml:3: plugins.p.list.1: lacks 'name'"));
  CHECK_THAT(refusal("list = [{name = \"a\", size = \"b\"}]").message,
             Catch::StartsWith("c.toml:2: plugins.p.list.0.size: must be"));
  CHECK_THAT(refusal("\nfew = [1, 2]").message, Catch::StartsWith("c.toml:3: plugins.p.few: "));
  const Error unknown = refusal("list = [{name = \"a\", nmae = 1}]");
  CHECK_THAT(unknown.message, Catch::StartsWith("c.toml:2: plugins.p.list.0"));
  CHECK_THAT(unknown.message, Catch::Contains("nmae"));
}

TEST_CASE("a plugin that is not installed keeps the name it was given") {
  auto config = loaded("[plugins.nobody]\nx = 1");
  REQUIRE(config::adopt_aliases(config, config_test::known_plugins()));
  CHECK(config.plugins.at("nobody").id == "nobody");
}

TEST_CASE("a descriptor's alias leads to its plugin, and two names for one are a mistake") {
  const auto known = config_test::known_plugins();
  auto config = loaded("[plugins.acme_logs]\npaths = [\"/x\"]");
  REQUIRE(config::adopt_aliases(config, known));
  CHECK(config.plugins.at("logs").id == "logs");
  config = loaded("[plugins.acme_logs]\n[plugins.logs]");
  const Outcome twice = config::adopt_aliases(config, known);
  REQUIRE_FALSE(twice);
  CHECK_THAT(twice.error().message,
             Catch::StartsWith("c.toml:2: plugins.logs: is the plugin 'logs', configured at c.toml:1 already"));
  CHECK(config::find_plugin(known, "nobody") == nullptr);
}

TEST_CASE("each instance of a plugin is resolved by itself, under its own name") {
  const std::string text = "[plugins.pg_stats]\ntables_max = 7\n[plugins.\"pg_stats@b\"]\ninterval = \"5s\"\n";
  const auto first = resolved(text, "pg_stats"), second = resolved(text, "pg_stats@b");
  REQUIRE((first && second));
  CHECK(first->id == "pg_stats");
  CHECK(second->id == "pg_stats@b");
  CHECK_THAT(first->config_json, Catch::Contains("\"tables_max\":7"));
  CHECK_THAT(second->config_json, Catch::Contains("\"tables_max\":100"));
  CHECK(second->interval_ms == 5'000);

  const auto known = config_test::known_plugins();
  auto config = loaded("[plugins.\"acme_logs@a\"]\n[plugins.logs]\n[plugins.\"nobody@a\"]");
  REQUIRE(config::adopt_aliases(config, known));
  CHECK(config.plugins.at("logs@a").id == "logs@a");
  CHECK(config.plugins.at("nobody@a").id == "nobody@a");
  config = loaded("[plugins.\"acme_logs@a\"]\n[plugins.\"logs@a\"]");
  CHECK_FALSE(config::adopt_aliases(config, known));
}

TEST_CASE("paths and files that a configuration names are found by the formats of its schema") {
  const auto stats =
      resolved("[plugins.pg_stats]\nconninfo = \"sslrootcert=/etc/ca.crt dbname=x\"\nnested = {file = \"/srv/a\"}", "pg_stats");
  REQUIRE(stats);
  CHECK(stats->named.paths == std::vector<std::string>{"/srv/a"});  // through $ref
  CHECK(stats->named.files == std::vector<std::string>{"/etc/ca.crt"});
  const auto logs = resolved("[plugins.logs]\npaths = [\"/var/log/a/*.log\", \"/b\"]", "logs");
  REQUIRE(logs);
  CHECK(logs->named.paths == std::vector<std::string>{"/var/log/a/*.log", "/b"});
}

TEST_CASE("paths are found in every corner that a schema can put them into") {
  const auto named = [](const char* schema, const std::string& keys) {
    const auto plugin = config_test::known_plugin("p", schema);
    const auto resolved = config::resolve(loaded("[plugins.p]\n" + keys).plugins.at("p"), plugin);
    INFO((resolved ? "" : resolved.error().message));
    REQUIRE(resolved);
    return resolved->named.paths;
  };
  using Paths = std::vector<std::string>;
  CHECK(named(R"({"type": "object", "additionalProperties": {"type": "string", "format": "path-read"}})",
              "x = \"/a\"\ny = \"/b\"") == Paths{"/a", "/b"});
  CHECK(named(R"({"type": "object", "additionalProperties": false,
                  "properties": {"x": {"allOf": [{"type": "string"}, {"format": "path-read"}]}}})",
              "x = \"/a\"") == Paths{"/a"});
  CHECK(named(R"({"type": "object", "additionalProperties": true,
                  "properties": {"x": {"type": "array"}, "y": {"type": "string"}}})",
              "x = [\"/a\"]\ny = \"/b\"\nz = \"/c\"")
            .empty());
  constexpr char kChain[] =
      R"({"type": "object", "additionalProperties": false, "properties": {"x": {"$ref": "#/definitions/one"}},
      "definitions": {"one": {"$ref": "#/definitions/two"}, "two": {"type": "array", "items": {"format": "path-read"}}}})";
  CHECK(named(kChain, "x = [\"/a\", \"/b\"]") == Paths{"/a", "/b"});
}

TEST_CASE("files in a connection string, in both its forms") {
  using Files = std::vector<std::string>;
  CHECK(config::conninfo_files("host=a sslcert = '/x y/c\\'c' sslkey=/k\\ 1 password=sslcrl=/no passfile=/p") ==
        Files{"/x y/c'c", "/k 1", "/p"});
  CHECK(config::conninfo_files("postgresql://u:p@h/db?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.crt&sslcrldir=/crl") ==
        Files{"/etc/ca.crt", "/crl"});
  CHECK(config::conninfo_files("postgres://h/?sslkey=%2fa%zz%4g%&&user=x&sslcert=/b%4a%4A%2") == Files{"/a%zz%4g%", "/bJJ%2"});
  for (const char* broken : {"", "=", "sslcert", "sslcert=", "sslcert='", "postgresql://", "postgres://?sslcert", "\\", "a=\\",
                             "sslcert /x", "://", "mysql://h/?sslcert=/x", "postgres://h", "sslcert = ''"}) {
    INFO(broken);
    CHECK(config::conninfo_files(broken).empty());
  }
}
