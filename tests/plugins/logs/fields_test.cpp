#include "plugins/logs/classes/fields_of.h"

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/field_table.h"
#include "tests/plugins/logs/field_examples.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <set>
#include <string>

namespace pganalytics::logs {
namespace {

const EventClass& class_called(std::string_view name) {
  const auto table = event_classes();
  const auto* const row = std::find_if(table.begin(), table.end(), [&](const EventClass& each) { return each.name == name; });
  REQUIRE(row != table.end());
  return *row;
}

std::vector<Field> fields_of(const FieldExample& example) {
  Event event;
  event.message = example.message;
  event.detail = example.detail;
  event.context = example.context;
  add_fields(event, class_called(example.class_name));
  return event.fields;
}

std::string written(const std::vector<Field>& fields) {
  std::string all;
  for (const Field& field : fields) all += (all.empty() ? "" : ";") + std::string(field.name) + "=" + field.value;
  return all;
}

bool any_line_fits(const FieldRow& row, std::string_view text) {
  while (const auto line = next_line(text)) {
    if (match_shape(row.shape, *line)) return true;
  }
  return false;
}

bool is_shown_by(const FieldRow& row, const FieldExample& example) {
  if (!is_of_classes(example.class_name, row.classes)) return false;
  switch (row.source) {
    case FieldSource::kMessage: return match_shape(row.shape, example.message).has_value();
    case FieldSource::kMessageLine: return any_line_fits(row, example.message);
    case FieldSource::kDetail: return match_shape(row.shape, example.detail).has_value();
    case FieldSource::kDetailLine: return any_line_fits(row, example.detail);
    case FieldSource::kContextStart:
      return match_shape(row.shape, example.context.substr(0, example.context.find('\n'))).has_value();
  }
  return false;
}

}  // namespace

TEST_CASE("each row of fields has an example, and each example its fields") {
  for (const FieldRow& row : field_rows()) {
    CAPTURE(row.classes, row.shape);
    CHECK(std::any_of(std::begin(kFieldExamples), std::end(kFieldExamples),
                      [&](const FieldExample& example) { return is_shown_by(row, example); }));
  }
  for (const FieldExample& example : kFieldExamples) {
    CAPTURE(example.message, example.detail);
    CHECK(written(fields_of(example)) == example.fields);
  }
}

TEST_CASE("no value, statement or password becomes a field") {
  for (const FieldExample& example : kFieldExamples) {
    CAPTURE(example.message, example.detail);
    CHECK(written(fields_of(example)).find("hush") == std::string::npos);
  }
  const FieldExample named_so = {"connection.authorized", "connection authorized: user=bob database=password=hush", "", "", ""};
  CHECK(written(fields_of(named_so)) == "user=bob;database=password=[redacted]");
}

TEST_CASE("a row is of classes there are, and names no field that the class's message has") {
  for (const FieldRow& row : field_rows()) {
    CAPTURE(row.classes, row.shape);
    const auto table = event_classes();
    CHECK(std::any_of(table.begin(), table.end(), [&](const EventClass& each) { return is_of_classes(each.name, row.classes); }));
  }
  for (const FieldExample& example : kFieldExamples) {
    CAPTURE(example.message, example.detail);
    const std::string_view shape = class_called(example.class_name).shape;
    if (shape.empty()) continue;
    const auto of_message = match_shape(shape, example.message);
    REQUIRE(of_message);
    for (const ExtractedField& each : *of_message) {
      CHECK(written(fields_of(example)).find(std::string(each.name) + "=") != 0);
      CHECK(written(fields_of(example)).find(";" + std::string(each.name) + "=") == std::string::npos);
    }
  }
}

TEST_CASE("what is too long, or too much, gives no field") {
  std::string detail;
  for (int pid = 1; pid <= 100; ++pid) {
    detail += "Process " + std::to_string(pid) + " waits for ShareLock on transaction 7; blocked by process 1.\n";
  }
  const auto participants = fields_of({"lock.deadlock", "deadlock detected", detail, "", ""});
  REQUIRE(participants.size() == 1);
  CHECK(participants[0].value.find("\"pid\":64,") != std::string::npos);
  CHECK(participants[0].value.find("\"pid\":65,") == std::string::npos);
  CHECK(fields_of({"constraint.unique", "duplicate key value violates unique constraint \"c\"",
                   "Key (" + std::string(2000, 'a') + ")=(1) already exists.", "", ""})
            .empty());
  CHECK(fields_of({"constraint.unique", "duplicate key value violates unique constraint \"c\"",
                   "Key (a" + std::string(1, '\0') + ")=(1) already exists.", "", ""})
            .empty());
}

TEST_CASE("fields that are lists are JSON, and left out where there is no room") {
  Event event;
  event.message = "deadlock detected";
  event.detail = "Process 1 waits for ShareLock on transaction 7; blocked by process 2.\n";
  add_fields(event, class_called("lock.deadlock"));
  CHECK(event_json(event, 1 << 20).find("\"fields\":{\"participants\":[{\"pid\":1,") != std::string::npos);
  for (int i = 0; i < 5; ++i) event.detail += event.detail;
  event.fields.clear();
  add_fields(event, class_called("lock.deadlock"));
  const std::string json = event_json(event, 2048);
  CHECK(json.size() <= 2048);
  CHECK(json.find("participants") == std::string::npos);
}

}  // namespace pganalytics::logs
