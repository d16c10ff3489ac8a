#include "plugins/logs/classes/fields_of.h"

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/field_table.h"
#include "plugins/logs/privacy/credentials.h"

#include <algorithm>
#include <optional>
#include <pganalytics/json.hpp>
#include <pganalytics/text.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxElements = 64;
constexpr std::size_t kMaxValueBytes = 1024;
constexpr std::size_t kMaxLines = 256;  // of one text; a vacuum writes about 20, and one for each index

using Fields = std::vector<Field>;

bool has(const Fields& fields, std::string_view name) {
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
}

void add_new(Fields& fields, Fields more) {
  for (Field& field : more) {
    if (!has(fields, field.name)) fields.push_back(std::move(field));
  }
}

// "12, 34" as [12,34].
std::optional<std::string> number_list(std::string_view text) {
  JsonWriter json;
  json.begin_array();
  for (std::size_t count = 0; count < kMaxElements; ++count) {
    const std::size_t comma = text.find(", ");
    const auto number = to_number<std::int64_t>(text.substr(0, comma));
    if (!number) return std::nullopt;
    json.value(*number);
    if (comma == std::string_view::npos) return std::string(json.end_array().text());
    text.remove_prefix(comma + 2);
  }
  return std::nullopt;
}

// A text in which a value could have taken the place of a name has the quote that was the name's.
bool may_pass(std::string_view text, FieldSource source) {
  const bool of_message = source == FieldSource::kMessage || source == FieldSource::kMessageLine;
  return text.size() <= kMaxValueBytes && text.find('\0') == std::string_view::npos &&
         (of_message || text.find('"') == std::string_view::npos);
}

// nullopt: not what the row speaks of.
std::optional<Field> to_field(const ExtractedField& found, FieldSource source) {
  constexpr std::string_view kListMark = "[]";
  const std::string_view name = found.name;
  if (found.is_number) return Field{name, std::string(found.text), true};
  if (name.size() > kListMark.size() && name.substr(name.size() - kListMark.size()) == kListMark) {
    auto numbers = number_list(found.text);
    if (!numbers) return std::nullopt;
    return Field{name.substr(0, name.size() - kListMark.size()), std::move(*numbers), false, true};
  }
  if (!may_pass(found.text, source)) return std::nullopt;
  return Field{name, without_credentials(found.text)};
}

std::optional<Fields> match(const FieldRow& row, std::string_view text) {
  const auto found = match_shape(row.shape, text);
  if (!found) return std::nullopt;
  Fields fields;
  for (const ExtractedField& each : *found) {
    auto field = to_field(each, row.source);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  return fields;
}

struct List {
  std::string_view name;
  std::vector<Fields> elements;
};

std::string list_json(const List& list) {
  JsonWriter json;
  json.begin_array();
  for (const Fields& element : list.elements) {
    json.begin_object();
    for (const Field& field : element) {
      json.key(field.name);
      field.is_number || field.is_json ? json.json(field.value) : json.value(field.value);
    }
    json.end_object();
  }
  return std::string(json.end_array().text());
}

using Rows = std::vector<const FieldRow*>;

// Most classes have none, and most entries are of those: found once for all.
const Rows& rows_of(const EventClass& event_class) {
  static const std::vector<Rows> of_each = [] {
    std::vector<Rows> all;
    for (const EventClass& each : event_classes()) {
      all.emplace_back();
      for (const FieldRow& row : field_rows()) {
        if (is_of_classes(each.name, row.classes)) all.back().push_back(&row);
      }
    }
    return all;
  }();
  return of_each[static_cast<std::size_t>(&event_class - event_classes().begin())];
}

class Extraction {
 public:
  explicit Extraction(const Rows& rows) : rows_(rows) {}

  void read_whole(std::string_view text, FieldSource source) {
    if (!text.empty() && is_read(source)) read(text, source);
  }

  // With `known_only` up to the first line that no row fits: what comes behind it may be a user's.
  void read_lines(std::string_view text, FieldSource source, bool known_only) {
    if (!is_read(source)) return;
    for (std::size_t lines = 0; lines < kMaxLines; ++lines) {
      const auto line = next_line(text);
      if (!line || (!read(*line, source) && known_only)) return;
    }
  }

  Fields take() {
    for (const List& list : lists_) add_new(fields_, {Field{list.name, list_json(list), false, true}});
    return std::move(fields_);
  }

 private:
  [[nodiscard]] bool is_read(FieldSource source) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const FieldRow* row) { return row->source == source; });
  }

  // False: no row fits.
  bool read(std::string_view text, FieldSource source) {
    bool fits = false;
    Fields element;
    std::string_view list;
    for (const FieldRow* const row : rows_) {
      if (row->source != source) continue;
      auto found = match(*row, text);
      if (!found) continue;
      fits = true;
      if (!row->list.empty()) list = row->list;
      add_new(row->list.empty() ? fields_ : element, std::move(*found));
    }
    if (!element.empty()) append(list, std::move(element));
    return fits;
  }

  void append(std::string_view name, Fields element) {
    auto list = std::find_if(lists_.begin(), lists_.end(), [&](const List& each) { return each.name == name; });
    if (list == lists_.end()) list = lists_.insert(lists_.end(), {name, {}});
    if (list->elements.size() < kMaxElements) list->elements.push_back(std::move(element));
  }

  const Rows& rows_;
  Fields fields_;
  std::vector<List> lists_;
};

}  // namespace

bool is_of_classes(std::string_view class_name, std::string_view classes) {
  if (classes.empty() || classes.back() != '*') return class_name == classes;
  classes.remove_suffix(1);
  return class_name.substr(0, classes.size()) == classes;
}

void add_fields(Event& event, const EventClass& event_class) {
  const Rows& rows = rows_of(event_class);
  if (rows.empty()) return;
  Extraction extraction(rows);
  extraction.read_whole(event.message, FieldSource::kMessage);
  extraction.read_lines(event.message, FieldSource::kMessageLine, false);
  extraction.read_whole(event.detail, FieldSource::kDetail);
  extraction.read_lines(event.detail, FieldSource::kDetailLine, true);
  extraction.read_whole(std::string_view(event.context).substr(0, event.context.find('\n')), FieldSource::kContextStart);
  for (Field& field : extraction.take()) event.fields.push_back(std::move(field));
}

}  // namespace pganalytics::logs
