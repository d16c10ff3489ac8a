#include "core/schema/family_rows.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "core/schema/json_text.h"
#include "core/schema/schema.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::schema;
using pganalytics::testing::must;

namespace {

// A plugin with all that the rules speak of: nesting, labels that come last, maps, lists without a name, events.
constexpr const char* kSchema = R"({
  "type": "object", "additionalProperties": false,
  "definitions": {"wait": {"type": "object", "additionalProperties": false, "properties": {
    "seconds": {"type": "number", "x-kind": "counter", "x-unit": "s"}}}},
  "properties": {
    "type": {"type": "string", "x-kind": "info"},
    "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
    "instance": {"type": "string", "x-kind": "label"},
    "load": {"type": "object", "properties": {
      "one-minute": {"type": ["number", "null"], "x-kind": "gauge", "x-unit": "1", "description": "Of the last minute."},
      "hot": {"type": "boolean", "x-kind": "gauge", "x-unit": "1"}}},
    "databases": {"type": "array", "items": {"type": "object", "properties": {
      "tables": {"type": "object", "properties": {
        "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
        "omitted": {"type": "integer", "x-kind": "gauge", "x-unit": "{row}"},
        "rows": {"type": "array", "x-family": "acme_table", "description": "Tables.", "items": {"type": "object", "properties": {
          "name": {"type": "string", "x-kind": "label"},
          "oid": {"type": "integer", "x-kind": "label"},
          "scans": {"type": ["integer", "null"], "x-kind": "counter", "x-unit": "{scan}"},
          "rows": {"type": "integer", "x-kind": "updown", "x-unit": "{row}"},
          "owner": {"type": "string", "x-kind": "info"},
          "growth": {"type": "object", "additionalProperties": {"type": "number", "x-kind": "gauge", "x-unit": "1"}},
          "wait": {"$ref": "#/definitions/wait"}}}}}},
      "size": {"type": "object", "x-family": "acme_size", "properties": {
        "bytes": {"type": "integer", "x-kind": "gauge", "x-unit": "By"}}},
      "name": {"type": "string", "x-kind": "label"}}}},
    "events": {"type": "array", "items": {"type": "object", "properties": {
      "timestamp": {"type": "string", "format": "date-time", "x-kind": "event"},
      "severity": {"type": "string", "x-kind": "label"},
      "message": {"type": "string", "x-kind": "event"},
      "lost": {"type": "integer", "x-kind": "gauge", "x-unit": "By"}}}},
    "words": {"type": "array", "items": {"type": "string"}},
    "errors": {"type": "array", "items": {"type": "object", "properties": {
      "code": {"type": "string", "x-kind": "info"}, "message": {"type": "string", "x-kind": "info"}}}}
  }})";

Families compile(const std::string& text, const std::string& plugin = "acme") {
  const auto schema = must(Schema::parse(text, Schema::Purpose::kOutput));
  return must(Families::compile(schema.document(), plugin));
}

template <class Items>
std::string names(const Items& items) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : " ") + item.name;
  return all;
}

// "family time labels | fields | facts", "-" for what there is none of; the JSON of events.
std::vector<std::string> rows(const Families& families, const std::string& document) {
  std::vector<std::string> all;
  FamilyRows reader(families);
  const auto text = [](std::string_view value) { return value.data() == nullptr ? "-" : std::string(value); };
  const auto read = reader.read(document, [&](const FamilyRow& row) -> Outcome {
    const Family& family = families.all()[row.family];
    std::ostringstream line;
    line << family.name << " " << row.time;
    for (std::size_t i = 0; i < family.labels.size(); ++i) line << " " << text(row.labels[i]);
    if (family.is_events) {
      line << " " << row.json;
    } else {
      line << " |";
      for (std::size_t i = 0; i < family.fields.size(); ++i)
        std::isnan(row.fields[i]) ? line << " -" : line << " " << row.fields[i];
      line << " |";
      for (std::size_t i = 0; i < family.facts.size(); ++i) line << " " << text(row.facts[i]);
    }
    all.push_back(line.str());
    return {};
  });
  if (!read) all = {read.error().code + ": " + read.error().message};
  return all;
}

std::string refused(const std::string& properties) {
  const auto schema = must(Schema::parse(R"({"type":"object","properties":)" + properties + "}", Schema::Purpose::kOutput));
  const auto families = Families::compile(schema.document(), "acme");
  return families ? "" : families.error().message;
}

std::string first_party(const std::string& plugin) {
  std::ifstream file(std::string(PGANALYTICS_SOURCE_DIR "/plugins/") + plugin + "/output.schema.json");
  return {std::istreambuf_iterator<char>(file), {}};
}

const Family* find(const Families& families, const std::string& name) {
  for (const Family& family : families.all()) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a schema's families have names, labels, fields and facts") {
  const Families families = compile(kSchema);
  CHECK(names(families.all()) == "acme_table acme_size acme_databases acme_events acme_errors acme");

  const Family& table = *find(families, "acme_table");
  CHECK(names(table.labels) == "instance database_name name oid");
  CHECK(names(table.fields) == "scans rows wait_seconds");
  CHECK(names(table.facts) == "owner");
  CHECK(table.description == "Tables.");
  CHECK(table.fields[0].kind == FieldKind::kCounter);
  CHECK(table.fields[1].kind == FieldKind::kUpdown);
  CHECK(table.fields[0].unit == "{scan}");
  CHECK_FALSE(table.is_events);

  CHECK(names(find(families, "acme")->labels) == "instance");
  CHECK(names(find(families, "acme")->fields) == "load_one_minute load_hot");
  CHECK(find(families, "acme")->fields[0].description == "Of the last minute.");
  CHECK(names(find(families, "acme")->facts).empty());
  CHECK(names(find(families, "acme_databases")->fields) == "tables_omitted");
  CHECK(names(find(families, "acme_size")->labels) == "instance database_name");
  CHECK(find(families, "acme_events")->is_events);
  CHECK(find(families, "acme_errors")->is_events);
}

TEST_CASE("a document's rows have the labels and the time of what they lie in, wherever those stand") {
  const Families families = compile(kSchema);
  const std::string document = R"({"type":"acme","databases":[
    {"tables":{"rows":[{"name":"t","oid":16384,"scans":12,"rows":-3,"growth":{"scans":2},"wait":{"seconds":0.25},"unknown":[{"x":1}]},
                       {"oid":5,"scans":null,"owner":"joe"},{"name":"nothing"}],
               "omitted":1,"timestamp":"2026-02-03T04:05:06.000Z"},"name":"shop \"é\""},
    {"name":"wiki","size":{"bytes":9007199254740993}}],
    "events":[{"severity":"ERROR","message":"bad \u0041","timestamp":"2026-02-03T04:05:01.000Z"},{"message":"no time"}],
    "words":["a"],"errors":[{"code":"x"}],
    "load":{"one-minute":null,"hot":true},"instance":"prod","timestamp":"2026-02-03T04:05:07.000Z"})";
  const std::vector<std::string> expected = {
      "acme 2026-02-03T04:05:07.000Z prod | - 1 |",
      "acme_databases 2026-02-03T04:05:07.000Z prod shop \"é\" | 1 |",
      "acme_table 2026-02-03T04:05:06.000Z prod shop \"é\" t 16384 | 12 -3 0.25 | -",
      "acme_table 2026-02-03T04:05:06.000Z prod shop \"é\" - 5 | - - - | joe",
      "acme_size 2026-02-03T04:05:07.000Z prod wiki | 9.0072e+15 |",
      R"(acme_events 2026-02-03T04:05:01.000Z prod ERROR {"severity":"ERROR","message":"bad \u0041","timestamp":"2026-02-03T04:05:01.000Z"})",
      R"(acme_events 2026-02-03T04:05:07.000Z prod - {"message":"no time"})",
      R"(acme_errors 2026-02-03T04:05:07.000Z prod {"code":"x"})"};
  CHECK(rows(families, document) == expected);
}

TEST_CASE("a document of other types than its schema's gives no rows, and the member's name") {
  const Families families = compile(kSchema);
  const auto only = [&](const std::string& document) {
    const auto all = rows(families, document);
    return all.empty() ? "" : all.front();
  };
  CHECK(only(R"({"load":{"hot":false,"one-minute":"high"}})") ==
        "document.type: load/one-minute is a text: its plugin's schema says otherwise");
  CHECK(only(R"({"databases":[{"tables":{"rows":[{"scans":{}}]}}]})") ==
        "document.type: databases/tables/rows/scans is an object: its plugin's schema says otherwise");
  CHECK(only(R"({"databases":{}})") == "document.type: databases is an object: its plugin's schema says otherwise");
  CHECK(only(R"({"databases":[1]})").find("document.type: databases") == 0);
  CHECK(only(R"({"load":[]})") == "document.type: load is an array: its plugin's schema says otherwise");
  CHECK(only(R"({"timestamp":3})") == "document.type: timestamp is no text: its plugin's schema says otherwise");
  CHECK(only("[]").find("document.syntax") == 0);
  CHECK(only("{\"load\":{\"hot\":true}").find("document.syntax") == 0);
  CHECK(only("").find("document.syntax") == 0);
  std::string deep = R"({"unknown":)";
  for (int i = 0; i < 100'000; ++i) deep += '[';
  CHECK(only(deep).find("document.syntax") == 0);
}

TEST_CASE("a reader is as good as new after a document that was bad") {
  const Families families = compile(kSchema);
  FamilyRows reader(families);
  const auto none = [](const FamilyRow&) -> Outcome { return {}; };
  CHECK_FALSE(reader.read(R"({"unknown":[[{"instance":)", none));
  int count = 0;
  CHECK(reader.read(R"({"load":{"hot":true}})", [&](const FamilyRow&) -> Outcome {
    ++count;
    return {};
  }));
  CHECK(count == 1);
}

TEST_CASE("a schema whose families or members cannot be told apart is refused") {
  CHECK(refused(R"({"a":{"type":"object","properties":{"b_c":{"type":"integer","x-kind":"gauge","x-unit":"1"},
                    "b":{"type":"object","properties":{"c":{"type":"integer","x-kind":"gauge","x-unit":"1"}}}}}})") ==
        "two members of family acme are called a_b_c");
  const std::string list = R"({"type":"array","x-family":"one","items":{"type":"object","properties":{
    "n":{"type":"integer","x-kind":"gauge","x-unit":"1"}}}})";
  CHECK(refused(R"({"a":)" + list + R"(,"b":)" + list + "}") == "two places are called family one");
}

TEST_CASE("the first-party plugins' families are told apart, and columns have names that SQL takes as they are") {
  for (const std::string plugin : {"pg_stats", "sysstat", "logs", "disk", "exec"}) {
    INFO(plugin);
    const Families families = compile(first_party(plugin), plugin);
    for (const Family& family : families.all()) {
      std::vector<std::string> all{family.name};
      for (const auto& label : family.labels) all.push_back(label.name);
      for (const auto& field : family.fields) all.push_back(field.name);
      for (const std::string& name : all) {
        INFO(family.name << "." << name);
        CHECK(name.size() <= kFamilyNameBytes);
        CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos);
      }
    }
  }
  const Families pg_stats = compile(first_party("pg_stats"), "pg_stats");
  REQUIRE(find(pg_stats, "pg_tables") != nullptr);
  CHECK(names(find(pg_stats, "pg_tables")->labels) == "instance database_name oid schema name");
  CHECK(find(compile(first_party("logs"), "logs"), "logs_events")->is_events);
}
