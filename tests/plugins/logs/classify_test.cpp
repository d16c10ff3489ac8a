#include "plugins/logs/classes/classify.h"

#include "tests/plugins/logs/class_examples.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <set>
#include <string>

namespace pganalytics::logs {
namespace {

std::string class_of(const std::string& sqlstate, const std::string& message) {
  Event event;
  event.severity = Severity::kLog;
  event.sqlstate = sqlstate;
  event.message = message;
  const EventClass* const found = classify(event);
  return found == nullptr ? "" : std::string(found->name);
}

std::string fields_of(std::string_view shape, const std::string& message) {
  std::string all;
  const auto fields = match_shape(shape, message);
  if (!fields) return "no match";
  for (const ExtractedField& field : *fields) {
    all += (all.empty() ? "" : ";") + std::string(field.name) + "=" + std::string(field.text);
  }
  return all;
}

}  // namespace

TEST_CASE("each class has an example, and each example its class and fields") {
  for (const EventClass& row : event_classes()) {
    CAPTURE(row.name);
    CHECK(std::any_of(std::begin(kClassExamples), std::end(kClassExamples),
                      [&](const ClassExample& example) { return example.name == row.name; }));
  }
  for (const ClassExample& example : kClassExamples) {
    CAPTURE(example.message);
    CHECK(class_of(example.sqlstate, example.message) == example.name);
    const auto table = event_classes();
    const auto* const row =
        std::find_if(table.begin(), table.end(), [&](const EventClass& each) { return each.name == example.name; });
    REQUIRE(row != table.end());
    if (std::string(example.fields).empty()) continue;
    CHECK(fields_of(row->shape, example.message) == example.fields);
  }
}

TEST_CASE("where the log says no SQLSTATE the message tells, if the class has one") {
  for (const ClassExample& example : kClassExamples) {
    CAPTURE(example.message);
    const auto table = event_classes();
    const auto* const row =
        std::find_if(table.begin(), table.end(), [&](const EventClass& each) { return each.name == example.name; });
    REQUIRE(row != table.end());
    if (!row->shape.empty()) CHECK(class_of("", example.message) == example.name);
  }
}

TEST_CASE("in another language the SQLSTATE tells") {
  CHECK(class_of("22012", "Division durch Null") == "query.division_by_zero");
  CHECK(class_of("23505", "doppelter Schlüsselwert verletzt Unique-Constraint »t_pkey«") == "constraint.unique");
  CHECK(class_of("57014", "Anweisung wird wegen Zeitüberschreitung storniert") == "statement.canceled");
  CHECK(class_of("55006", "Datenbank wird gerade verwendet") == "query.object_in_use");
}

TEST_CASE("a statement that quotes another message is a statement") {
  const std::string quoted = "backend (PID 7) was terminated by signal 9: Killed";
  CHECK(class_of("", quoted) == "server.process_killed");
  CHECK(class_of("", "statement: select '" + quoted) == "statement.logged");
  CHECK(class_of("00000", "statement: select '" + quoted) == "statement.logged");
  CHECK(class_of("", "duration: 0.250 ms  statement: select '" + quoted) == "statement.slow");
}

TEST_CASE("what is of no class is of none") {
  CHECK(class_of("00000", "something new") == "");
  CHECK(class_of("", "") == "");
  CHECK(class_of("", "division by zero, or not") == "");
  CHECK(class_of("99999", "statement: of an error that a function raised") == "");
  CHECK(class_of("P0001", "statement: of an error that a function raised") == "query.raised");
  Event other;
  other.message = "statement: select 1";
  CHECK(classify(other) == nullptr);  // output of another program
}

TEST_CASE("rows of one SQLSTATE stand together, names are of a group and come once") {
  std::set<std::string_view> names;
  std::set<std::string_view> ended;
  std::string_view before;
  for (const EventClass& row : event_classes()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.name.find('.') != std::string_view::npos);
    CHECK_FALSE((row.sqlstate.empty() && row.shape.empty()));
    if (row.sqlstate != before && !row.sqlstate.empty()) CHECK(ended.insert(row.sqlstate).second);
    before = row.sqlstate;
  }
  CHECK(names.size() >= 110);
}

TEST_CASE("a shape's numbers are numbers, its texts are not empty, and its words are all there") {
  CHECK(fields_of("after {#wait_ms} ms", "after 12.5 ms") == "wait_ms=12.5");
  CHECK(fields_of("code {#code}", "code -3") == "code=-3");
  for (const char* message : {"after x ms", "after  ms", "after 1.2.3 ms", "after 007 ms", "after 12.5 ms more", "before 12.5 ms",
                              "", "after 1234567890123456789 ms", "after 1. ms", "after - ms"}) {
    CAPTURE(message);
    CHECK(fields_of("after {#wait_ms} ms", message) == "no match");
  }
  CHECK(fields_of("table \"{table}\"{_}", "table \"a\" and more") == "table=a");
  CHECK(fields_of("table \"{table}\" ends", "table \"a\" ends\" ends") == "table=a\" ends");
  CHECK(fields_of("table \"{table}\"", "table \"\"") == "no match");
}

}  // namespace pganalytics::logs
