#include "core/exporters/metric_names.h"

#include <algorithm>

namespace pganalytics::exporters {
namespace {

struct Unit {
  std::string_view ucum;
  std::string_view spelt;  // at the end of fields' names
  std::string_view base;
  double multiply_by, divide_by;
};

constexpr Unit kUnits[] = {{"By", "bytes", "bytes", 1, 1},       {"KiBy", "kib", "bytes", 1024, 1},
                           {"MiBy", "mib", "bytes", 1048576, 1}, {"s", "seconds", "seconds", 1, 1},
                           {"ms", "ms", "seconds", 1, 1e3},      {"us", "us", "seconds", 1, 1e6},
                           {"ns", "ns", "seconds", 1, 1e9},      {"min", "minutes", "seconds", 60, 1},
                           {"h", "hours", "seconds", 3600, 1},   {"d", "days", "seconds", 86400, 1},
                           {"%", "percent", "ratio", 1, 100},    {"By/s", "bytes_per_second", "bytes_per_second", 1, 1},
                           {"Cel", "celsius", "celsius", 1, 1}};

constexpr std::string_view kReserved[] = {"collector", "source", "job", "instance", "le", "quantile"};

const Unit* find(std::string_view ucum) {
  for (const Unit& unit : kUnits) {
    if (unit.ucum == ucum) return &unit;
  }
  return nullptr;
}

// Words are what stands between underscores.
bool ends_with_words(std::string_view text, std::string_view words) {
  if (text.size() < words.size() || text.substr(text.size() - words.size()) != words) return false;
  return text.size() == words.size() || text[text.size() - words.size() - 1] == '_';
}

void cut_last_words(std::string& text, std::string_view words) {
  if (ends_with_words(text, words)) text.resize(text.size() - std::min(text.size(), words.size() + 1));
}

void append_word(std::string& text, std::string_view word) { text.append(text.empty() ? "" : "_").append(word); }

bool has_words(const std::string& text, std::string_view words) {
  return ("_" + text + "_").find("_" + std::string(words) + "_") != std::string::npos;
}

}  // namespace

MetricName name_of_field(std::string_view family, std::string_view field, schema::FieldKind kind, std::string_view unit) {
  std::string name(field);
  const bool is_counter = kind == schema::FieldKind::kCounter;
  if (is_counter) cut_last_words(name, "total");
  MetricName metric;
  if (const Unit* const known = find(unit)) {
    metric.multiply_by = known->multiply_by;
    metric.divide_by = known->divide_by;
    cut_last_words(name, known->spelt);
    // bytes_received stays as it is.
    if (!has_words(name, known->base)) append_word(name, known->base);
  }
  if (!is_counter && ends_with_words(name, "total")) {
    cut_last_words(name, "total");
    append_word(name, "all");
  }
  if (is_counter) append_word(name, "total");
  metric.name = std::string(family) + "_" + name;
  return metric;
}

std::string name_of_time(std::string_view family, std::string_view fact) {
  std::string name(fact);
  for (const std::string_view word : {"timestamp", "time", "at"}) cut_last_words(name, word);
  append_word(name, "timestamp_seconds");
  return std::string(family) + "_" + name;
}

std::string name_of_label(std::string_view label) {
  bool is_taken = label.substr(0, 2) == "__";
  for (const std::string_view reserved : kReserved) is_taken = is_taken || label == reserved;
  return (is_taken ? "exported_" : "") + std::string(label);
}

}  // namespace pganalytics::exporters
