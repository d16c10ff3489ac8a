#include "plugins/logs/classes/classify.h"

#include <algorithm>
#include <cstring>

namespace pganalytics::logs {
namespace {

bool begins_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  constexpr std::size_t kMostDigits = 18;  // that a number of JSON's readers holds
  const bool leading_zero = text.size() > 1 && text.front() == '0' && dot != 1;
  return !leading_zero && text.size() <= kMostDigits && digits(text.substr(0, dot)) &&
         (dot == text.size() || digits(text.substr(dot + 1)));
}

// string_view::find stops at each blank when the words begin with one.
std::size_t find(std::string_view text, std::string_view words) {
  const void* const found = memmem(text.data(), text.size(), words.data(), words.size());
  return found == nullptr ? std::string_view::npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

// Spares most rows the comparison: an event is looked up in all of them.
bool may_begin(std::string_view shape, std::string_view message) {
  return !shape.empty() && (shape.front() == '{' || (!message.empty() && shape.front() == message.front()));
}

}  // namespace

std::optional<std::vector<ExtractedField>> match_shape(std::string_view shape, std::string_view message) {
  std::vector<ExtractedField> fields;
  while (!shape.empty()) {
    const std::size_t open = std::min(shape.find('{'), shape.size());
    if (!begins_with(message, shape.substr(0, open))) return std::nullopt;
    message.remove_prefix(open);
    shape.remove_prefix(open);
    if (shape.empty()) break;
    const std::size_t close = shape.find('}');
    std::string_view name = shape.substr(1, close - 1);
    shape.remove_prefix(close + 1);
    const std::string_view next = shape.substr(0, shape.find('{'));
    const bool ends = next.size() == shape.size();  // after this field nothing but these words
    const std::size_t end = ends ? message.size() - std::min(next.size(), message.size()) : find(message, next);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = message.substr(0, end);
    message.remove_prefix(end);
    if (name == "_") continue;
    const bool number = begins_with(name, "#");
    if (number) name.remove_prefix(1);
    if (value.empty() || (number && !is_number(value))) return std::nullopt;
    fields.push_back({name, value, number});
  }
  return message.empty() ? std::optional(std::move(fields)) : std::nullopt;
}

const EventClass* classify(const Event& event) {
  const std::string_view sqlstate = event.sqlstate;
  if (!event.severity && sqlstate.empty()) return nullptr;
  const bool is_no_error = sqlstate.empty() || sqlstate == "00000" || sqlstate == "01000";
  const EventClass* of_sqlstate = nullptr;
  for (const EventClass& row : event_classes()) {
    if (!row.sqlstate.empty() && !sqlstate.empty()) {
      if (!begins_with(sqlstate, row.sqlstate)) continue;
      of_sqlstate = &row;
    } else if (row.sqlstate.empty() && !is_no_error) {
      continue;
    }
    if (may_begin(row.shape, event.message) && match_shape(row.shape, event.message)) return &row;
  }
  return of_sqlstate;
}

void describe(Event& event, const EventClass& event_class) {
  event.class_name = event_class.name;
  const auto fields = match_shape(event_class.shape, event.message);
  if (!fields) return;
  for (const ExtractedField& field : *fields) event.fields.push_back({field.name, std::string(field.text), field.is_number});
}

}  // namespace pganalytics::logs
