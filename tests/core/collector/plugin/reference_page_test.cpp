#include "core/collector/plugin/reference_page.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;
using testing::must;

namespace {

std::string fields_of(const std::string& schema) { return fields_markdown(must(schema::parse_json(schema))); }
std::string keys_of(const std::string& schema) { return keys_markdown(must(schema::parse_json(schema))); }

}  // namespace

TEST_CASE("fields are told with kind, unit and meaning, objects inline, lists of objects in tables of their own") {
  const std::string text = fields_of(R"({
    "type":"object", "required":["cpu","disks"], "properties":{
      "cpu":{"type":"object","required":["idle"],"properties":{
        "idle":{"type":["number","null"],"x-kind":"gauge","x-unit":"1","description":"Nothing to do."}}},
      "disks":{"type":"array","x-family":"disk","description":"One each.","items":{"$ref":"#/definitions/disk"}},
      "note":{"type":"string"}},
    "definitions":{"disk":{"type":"object","required":["parts"],"properties":{
      "parts":{"type":"array","items":{"type":"object","properties":{"size_bytes":{"type":"integer","x-kind":"gauge","x-unit":"By"}}}}}}}})");
  CHECK_THAT(text, Contains("| `cpu.idle` | number or null | gauge | `1` | Nothing to do. |\n"));
  CHECK_THAT(text, Contains("| `disks` | array of object |  |  | One each. |\n"));
  CHECK_THAT(text, Contains("| `note` | string, optional |  |  |  |\n"));
  CHECK_THAT(text, Contains("\n### Each of `disks[]`: family `disk`\n\n| field |"));
  CHECK_THAT(text, Contains("\n### Each of `disks[].parts[]`\n\n"));
  CHECK_THAT(text, Contains("| `size_bytes` | integer, optional | gauge | `By` |  |\n"));
}

TEST_CASE("where a value is read and since which version stands in the tables that have such a field") {
  const std::string text = fields_of(R"({"type":"object","required":["a","b"],"properties":{
    "a":{"type":"integer","x-kind":"counter","x-unit":"1","x-since":"18","x-source":"pg_stat_wal.a | b","description":"A."},
    "b":{"type":"array","items":{"type":"object","properties":{"c":{"type":"string"}}}}}})");
  CHECK_THAT(
      text, Contains("| field | type | kind | unit | since | meaning | source |\n| --- | --- | --- | --- | --- | --- | --- |\n"));
  CHECK_THAT(text, Contains("| `a` | integer | counter | `1` | 18 | A. | `pg_stat_wal.a \\| b` |\n"));
  CHECK_THAT(text, Contains("| `b` | array of object |  |  |  |  |  |\n"));
  CHECK_THAT(text, Contains("\n\n| field | type | kind | unit | meaning |\n| --- | --- | --- | --- | --- |\n| `c` |"));
}

TEST_CASE("a schema that contains itself has an end") {
  const std::string inside = R"("items":{"$ref":"#/definitions/node"})";
  const std::string text =
      fields_of(R"({"type":"object","properties":{"nodes":{"type":"array",)" + inside +
                R"(},"node":{"$ref":"#/definitions/chain"}},"definitions":{)"
                R"("node":{"type":"object","properties":{"nodes":{"type":"array",)" +
                inside + R"(}}},"chain":{"type":"object","properties":{"next":{"$ref":"#/definitions/chain"}}}}})");
  CHECK(text.size() < 3'000);
  CHECK_THAT(text, Contains("The same fields as `nodes[]`."));
}

TEST_CASE("keys are told with type, default, unit and bounds") {
  const std::string text = keys_of(R"({"type":"object","additionalProperties":false,"required":["target"],"properties":{
    "target":{"type":"string","format":"host-port","description":"Where to"},
    "wait_ms":{"type":"integer","minimum":10,"maximum":60000,"default":2000,"description":"How long.","x-reload":"restart"},
    "names":{"type":"array","minItems":1,"items":{"type":"string"},"default":["*"]},
    "mode":{"type":"string","enum":["a","b"]},
    "password":{"type":"object","additionalProperties":false,"x-secret":true,"properties":{}}}})");
  CHECK_THAT(text, Contains("| `target` | host-port | required |  | Where to. |\n"));
  CHECK_THAT(text,
             Contains("| `wait_ms` | integer | `2000` | `ms` | How long. Takes 10 to 60000. A change restarts the plugin. |\n"));
  CHECK_THAT(text, Contains("| `names` | array of string | `[\"*\"]` |  | Takes at least 1 element. |\n"));
  CHECK_THAT(text, Contains("| `mode` | one of `a`, `b` | none |  |  |\n"));
  CHECK_THAT(text, Contains("A secret: `{ \"$secret\" = \"name\" }`."));
  CHECK_THAT(keys_of("{}"), Contains("no keys of its own"));
}

TEST_CASE("a plugin's texts stay in their cells") {
  host::PluginInfo plugin;
  plugin.id = "acme";
  plugin.description = "one\n# two | three <script>\x1b[2J";
  plugin.version = "1|2";
  plugin.aliases = {"a`|b"};
  plugin.needs = PGA_NEED_PG | PGA_NEED_PROC;
  plugin.config_schema = "{}";
  plugin.output_schema = "{}";
  const std::string text = must(page_markdown(plugin));
  CHECK_THAT(text, Contains("one # two \\| three &lt;script>\\x1b[2J."));
  CHECK_THAT(text, Contains("| version | 1\\|2 |"));
  CHECK_THAT(text, Contains("`a'\\|b`"));
  CHECK_THAT(text, Contains("| needs | PostgreSQL connections, reading /proc and /sys |"));
  CHECK_THAT(text, Contains("\n## Configuration\n") && Contains("\n## Documents\n"));
  plugin.output_schema = "{";
  CHECK_FALSE(page_markdown(plugin));
}
