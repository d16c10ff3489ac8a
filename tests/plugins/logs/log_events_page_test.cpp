// docs/LOG_EVENTS.md is made of the tables of classes and fields. After a change of one: PGANALYTICS_REGENERATE=1
// build/tests/test_logs '[log_events]'
#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/field_table.h"
#include "plugins/logs/classes/fields_of.h"
#include "tests/plugins/logs/class_examples.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

const std::string kPage = std::string(PGANALYTICS_SOURCE_DIR) + "/docs/LOG_EVENTS.md";

constexpr const char* kHead =
    "# Events of the server's log\n\n"
    "The classes that the plugin logs gives entries, group by group: generated from `plugins/logs/classes`. What else an event "
    "has "
    "is in [METRICS](METRICS.md#logs).\n\n"
    "An entry is of the first row of its SQLSTATE whose message it has, else of the last row of that SQLSTATE: so the language "
    "of "
    "the messages does not\n"
    "matter. `-` is no error: there, and where the log carries no SQLSTATE, the message decides. In a message `{name}` is a text "
    "and "
    "`{#name}` a number,\n"
    "both in `fields` under that name, `{_}` anything, and no message any one.\n\n"
    "Further fields come from sentences that stand in a text of their own, DETAIL or CONTEXT, or on a line of the message; "
    "`{name[]}` is an array of\n"
    "numbers, and of what is \"in\" a list each line is one object of an array. They are there with `redact = \"all\"` too: none "
    "is a value, a "
    "statement or a\n"
    "parameter.\n";

constexpr const char* kPlanFields =
    "\nA plan (`statement.plan`) has the fields `nodes`, `top_node`, `total_cost`, `slowest_node`, `slowest_node_type`, "
    "`slowest_node_ms` (its own, without\n"
    "the nodes below), `misestimated_node` and `misestimate_factor`; nodes are counted from 0. `plan_error` says why there is "
    "none: `odd`, "
    "`limit` or `cut`.\n";

std::string group_of(std::string_view class_name) { return std::string(class_name.substr(0, class_name.find('.'))); }

// In a cell of a table.
std::string code(std::string_view text) {
  if (text.empty()) return "";
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    c == '\n' ? escaped += "\\n" : escaped += c;
  }
  return "`" + escaped + "`";
}

std::string example_of(std::string_view class_name) {
  const auto* const example = std::find_if(std::begin(kClassExamples), std::end(kClassExamples),
                                           [&](const ClassExample& each) { return each.name == class_name; });
  REQUIRE(example != std::end(kClassExamples));
  return example->message;
}

std::string classes_of(const std::string& group) {
  std::string rows = "| class | SQLSTATE | message | example |\n|---|---|---|---|\n";
  for (const EventClass& row : event_classes()) {
    if (group_of(row.name) != group) continue;
    const std::string example = example_of(row.name);
    rows += "| " + code(row.name) + " | " + (row.sqlstate.empty() ? "-" : std::string(row.sqlstate)) + " | " + code(row.shape) +
            " | " + (example == row.shape ? "" : code(example)) + " |\n";
  }
  return rows;
}

const char* place_of(FieldSource source) {
  switch (source) {
    case FieldSource::kMessage: return "message";
    case FieldSource::kMessageLine: return "line of the message";
    case FieldSource::kDetail: return "DETAIL";
    case FieldSource::kDetailLine: return "line of DETAIL";
    case FieldSource::kContextStart: return "first line of CONTEXT";
  }
  return "";
}

std::string further_fields_of(const std::string& group) {
  std::string rows;
  for (const FieldRow& row : field_rows()) {
    if (group_of(row.classes) != group) continue;
    if (rows.empty()) rows = "\n| further fields of | in | sentence |\n|---|---|---|\n";
    rows += "| " + code(row.classes) + " | " + place_of(row.source) + (row.list.empty() ? "" : ", in " + code(row.list)) + " | " +
            code(row.shape) + " |\n";
  }
  return rows;
}

std::string page() {
  std::vector<std::string> groups;
  for (const EventClass& row : event_classes()) {
    if (std::find(groups.begin(), groups.end(), group_of(row.name)) == groups.end()) groups.push_back(group_of(row.name));
  }
  std::string text = kHead;
  for (const std::string& group : groups) {
    text += "\n## " + group + "\n\n" + classes_of(group) + further_fields_of(group);
    if (group == "statement") text += kPlanFields;
  }
  return text;
}

}  // namespace

TEST_CASE("docs/LOG_EVENTS.md is what the tables say", "[log_events]") {
  const std::string expected = page();
  if (std::getenv("PGANALYTICS_REGENERATE") != nullptr) std::ofstream(kPage, std::ios::binary) << expected;
  std::stringstream found;
  found << std::ifstream(kPage, std::ios::binary).rdbuf();
  INFO("regenerate it: PGANALYTICS_REGENERATE=1 build/tests/test_logs '[log_events]'");
  CHECK((found.str() == expected));
}

}  // namespace pganalytics::logs
