#include "plugins/pg_stats/row.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "core/postgres/copy_line.h"

namespace pganalytics::pg_stats {
namespace {

// The session has DateStyle ISO and TimeZone UTC: "2026-02-03 04:05:06.789012+00". Anything else ("infinity", "... BC") is no
// date of RFC 3339.
bool write_time(JsonWriter& json, std::string_view field) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00";
  constexpr std::string_view kUtc = "+00";
  if (field.size() < kShape.size() + kUtc.size() || field.substr(field.size() - kUtc.size()) != kUtc) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = field[i] >= '0' && field[i] <= '9';
    if (kShape[i] == '0' ? !digit : field[i] != kShape[i]) return false;
  }
  std::string text(field.substr(0, field.size() - kUtc.size()));
  text[10] = 'T';
  text += 'Z';
  json.value(text);
  return true;
}

// Where the n-th tab is, n from 1.
std::size_t nth_tab(std::string_view line, std::size_t n) {
  std::size_t at = line.find('\t');
  for (; n > 1 && at != std::string_view::npos; --n) at = line.find('\t', at + 1);
  return at;
}

std::size_t take_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count;
}

// -123.45, as RFC 8259, section 6, has it: most numbers, which then need no formatting.
bool is_plain_number(std::string_view field) {
  if (!field.empty() && field[0] == '-') field.remove_prefix(1);
  const bool leads_with_zero = !field.empty() && field[0] == '0';
  const std::size_t digits = take_digits(field);
  if (digits == 0 || (leads_with_zero && digits > 1)) return false;
  if (field.empty() || field[0] != '.') return field.empty();
  field.remove_prefix(1);
  return take_digits(field) > 0 && field.empty();
}

template <class Number>
std::optional<Number> number_of(std::string_view field) {
  Number value{};
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return value;
}

// NaN, Infinity and what no double can hold are no numbers of JSON.
void write_number(JsonWriter& json, std::string_view field) {
  const auto value = number_of<double>(field);
  if (!value || !std::isfinite(*value)) {
    json.value(nullptr);
  } else if (is_plain_number(field)) {
    json.json(field);
  } else {
    json.value(*value);
  }
}

}  // namespace

RowReader::RowReader(const Family& family) : family_(family) {}

std::vector<bool> RowReader::number_counters(const Family& family) {
  std::vector<bool> all;
  for (const Column& column : family.columns) {
    if (column.kind == Kind::kCounter) all.push_back(column.type == Type::kNumber);
  }
  return all;
}

Outcome RowReader::read(std::string_view line) {
  content_ = line;
  postgres::split_copy_line(line, fields_);
  if (fields_.size() != family_.columns.size()) {
    return Error{PGA_E_FAIL, "pg.protocol",
                 "family " + family_.name + ": a row with " + std::to_string(fields_.size()) + " fields instead of " +
                     std::to_string(family_.columns.size()),
                 "", 0};
  }
  key_.clear();
  counters_.clear();
  const std::size_t steady = static_cast<std::size_t>(
      std::count_if(family_.columns.begin(), family_.columns.end(), [](const Column& column) { return !column.drifts; }));
  if (steady < fields_.size()) content_ = line.substr(0, nth_tab(line, steady));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Column& column = family_.columns[i];
    const std::string_view field = fields_[i].value_or(std::string_view());
    if (column.kind == Kind::kKey) {
      key_ += field;
      key_ += '\t';  // stands in no field
    } else if (column.kind == Kind::kCounter) {
      CounterValue value{};
      if (column.type == Type::kNumber) {
        value.number = number_of<double>(field).value_or(0);
        if (!std::isfinite(value.number) || value.number < 0) value.number = 0;
      } else {
        value.integer = std::max<std::int64_t>(number_of<std::int64_t>(field).value_or(0), 0);
      }
      counters_.push_back(value);
    }
  }
  return {};
}

std::string_view RowReader::epoch() const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (family_.columns[i].kind == Kind::kEpoch) return fields_[i].value_or(std::string_view());
  }
  return {};
}

std::string_view RowReader::text(std::size_t column) {
  return postgres::unescape_copy_field(fields_[column].value_or(std::string_view()), buffer_);
}

void RowReader::write_value(JsonWriter& json, const Column& column, std::string_view field) {
  switch (column.type) {
    case Type::kInteger: json.value(number_of<std::int64_t>(field)); break;
    case Type::kNumber: write_number(json, field); break;
    case Type::kBoolean: json.value(field == "t"); break;
    case Type::kTime:
      if (!write_time(json, field)) json.value(nullptr);
      break;
    case Type::kText: json.value(postgres::unescape_copy_field(field, buffer_)); break;
  }
}

void RowReader::write(JsonWriter& json, bool nulls) {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Column& column = family_.columns[i];
    if (!fields_[i] && !nulls) continue;
    json.key(column.name);
    if (fields_[i]) {
      write_value(json, column, *fields_[i]);
    } else {
      json.value(nullptr);
    }
  }
}

void RowReader::write_growth(JsonWriter& json, const std::vector<CounterValue>& growth) const {
  std::size_t counter = 0;
  for (const Column& column : family_.columns) {
    if (column.kind != Kind::kCounter) continue;
    const CounterValue& value = growth[counter++];
    if (column.type == Type::kNumber) {
      if (value.number > 0) json.member(column.name, value.number);
    } else if (value.integer > 0) {
      json.member(column.name, value.integer);
    }
  }
}

}  // namespace pganalytics::pg_stats
