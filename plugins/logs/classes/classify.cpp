#include "plugins/logs/classes/classify.h"

#include <algorithm>
#include <array>
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

bool belongs_to_number(char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-'; }

// How long the value is that `next` ends. A number ends with its digits: a long message is not searched for what is behind them.
std::size_t value_length(std::string_view message, std::string_view next, bool number, bool last) {
  if (last) return message.size() - std::min(next.size(), message.size());
  if (!number || next.empty() || belongs_to_number(next.front())) return find(message, next);
  const auto* const end = std::find_if_not(message.begin(), message.end(), belongs_to_number);
  return static_cast<std::size_t>(end - message.begin());
}

// Gives each field to `take`, as it is found: of a message that has the shape to its end, if that returns true.
template <class Take>
bool has_shape(std::string_view shape, std::string_view message, Take take) {
  while (!shape.empty()) {
    const std::size_t open = std::min(shape.find('{'), shape.size());
    if (!begins_with(message, shape.substr(0, open))) return false;
    message.remove_prefix(open);
    shape.remove_prefix(open);
    if (shape.empty()) break;
    const std::size_t close = shape.find('}');
    std::string_view name = shape.substr(1, close - 1);
    shape.remove_prefix(close + 1);
    const bool number = begins_with(name, "#");
    if (number) name.remove_prefix(1);
    const std::string_view next = shape.substr(0, shape.find('{'));
    const std::size_t length = value_length(message, next, number, next.size() == shape.size());
    if (length == std::string_view::npos) return false;
    const std::string_view value = message.substr(0, length);
    message.remove_prefix(length);
    if (name == "_") continue;
    if (value.empty() || (number && !is_number(value))) return false;
    take(ExtractedField{name, value, number});
  }
  return message.empty();
}

bool has_shape(std::string_view shape, std::string_view message) {
  return has_shape(shape, message, [](const ExtractedField&) {});
}

// The rows by the words that they begin with, so that a message is compared with a few of them, each list in the table's order.
class RowsByBeginning {
 public:
  struct Row {
    const EventClass* row;
    std::string_view head;  // the words before the shape's first field
  };

  RowsByBeginning() {
    for (const EventClass& row : event_classes()) {
      if (row.shape.empty()) continue;
      const std::string_view head = row.shape.substr(0, row.shape.find('{'));
      auto& rows = head.empty() ? with_any_ : with_byte_[static_cast<unsigned char>(head.front())];
      rows.push_back({&row, head});
    }
  }

  // Those that begin with the message's first byte.
  [[nodiscard]] const std::vector<Row>& with_byte_of(std::string_view message) const {
    return message.empty() ? none_ : with_byte_[static_cast<unsigned char>(message.front())];
  }

  // Those that begin with a field.
  [[nodiscard]] const std::vector<Row>& with_any() const { return with_any_; }

 private:
  std::array<std::vector<Row>, 256> with_byte_;
  std::vector<Row> with_any_;
  const std::vector<Row> none_;
};

// A row that begins as the message does comes before one that may begin with anything: else a statement that quotes another
// message would be taken for that.
const EventClass* by_message(std::string_view message, bool of_any_sqlstate) {
  static const RowsByBeginning index;
  for (const auto* const rows : {&index.with_byte_of(message), &index.with_any()}) {
    for (const auto& [row, head] : *rows) {
      const bool fits = of_any_sqlstate || row->sqlstate.empty();
      if (fits && begins_with(message, head) && has_shape(row->shape, message)) return row;
    }
  }
  return nullptr;
}

const EventClass* by_sqlstate(std::string_view sqlstate, std::string_view message) {
  const EventClass* of_sqlstate = nullptr;
  for (const EventClass& row : event_classes()) {
    if (row.sqlstate.empty() || !begins_with(sqlstate, row.sqlstate)) continue;
    of_sqlstate = &row;
    if (!row.shape.empty() && has_shape(row.shape, message)) return &row;
  }
  return of_sqlstate;
}

}  // namespace

std::optional<std::vector<ExtractedField>> match_shape(std::string_view shape, std::string_view message) {
  std::vector<ExtractedField> fields;
  if (!has_shape(shape, message, [&](const ExtractedField& field) { fields.push_back(field); })) return std::nullopt;
  return fields;
}

const EventClass* classify(const Event& event) {
  const std::string_view sqlstate = event.sqlstate;
  if (!event.severity && sqlstate.empty()) return nullptr;
  if (sqlstate.empty()) return by_message(event.message, true);
  if (sqlstate == "00000" || sqlstate == "01000") return by_message(event.message, false);
  return by_sqlstate(sqlstate, event.message);
}

void describe(Event& event, const EventClass& event_class) {
  event.class_name = event_class.name;
  const auto fields = match_shape(event_class.shape, event.message);
  if (!fields) return;
  for (const ExtractedField& field : *fields) event.fields.push_back({field.name, std::string(field.text), field.is_number});
}

}  // namespace pganalytics::logs
