#include "plugins/exec/performance_data.h"

#include <algorithm>
#include <cmath>
#include <pganalytics/text.hpp>

namespace pganalytics::exec {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Cuts what stands before the first of `ends` off `text`; the end itself stays.
std::string_view cut_before(std::string_view& text, std::string_view ends) {
  const std::string_view piece = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(piece.size());
  return piece;
}

// The label and its "=", cut off; nullopt if there is none. In quotes it may hold blanks and "=", and '' for a quote.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  if (text.front() != '\'') {
    label = cut_before(text, "= \t\r\n");
  } else {
    std::size_t at = 1;
    for (; at < text.size(); ++at) {
      if (text[at] == '\'' && (at + 1 == text.size() || text[at + 1] != '\'')) break;
      if (text[at] == '\'') ++at;
      label += text[at];
    }
    text.remove_prefix(std::min(at + 1, text.size()));
  }
  if (label.empty() || text.empty() || text.front() != '=') return std::nullopt;
  text.remove_prefix(1);
  return label;
}

std::optional<Number> to_finite(std::string_view digits) {
  if (const auto whole = to_number<std::int64_t>(digits)) return Number(*whole);
  if (const auto large = to_number<std::uint64_t>(digits)) return Number(*large);
  const auto real = to_number<double>(digits);
  return real && std::isfinite(*real) ? std::optional<Number>(*real) : std::nullopt;
}

std::optional<double> to_limit(std::string_view text) {
  const auto real = to_number<double>(text);
  return real && std::isfinite(*real) ? real : std::nullopt;
}

std::string ucum(std::string_view unit) {
  constexpr std::pair<std::string_view, const char*> kUnits[] = {
      {"", "1"},       {"c", "1"},      {"s", "s"},      {"ms", "ms"},   {"us", "us"},   {"ns", "ns"},
      {"%", "%"},      {"B", "By"},     {"KB", "KiBy"},  {"MB", "MiBy"}, {"GB", "GiBy"}, {"TB", "TiBy"},
      {"KiB", "KiBy"}, {"MiB", "MiBy"}, {"GiB", "GiBy"}, {"TiB", "TiBy"}};
  for (const auto& [word, known] : kUnits) {
    if (unit == word) return known;
  }
  return "{" + std::string(unit) + "}";
}

bool is_unit(std::string_view text) {
  constexpr std::size_t kUnitBytesMax = 16;
  return text.size() <= kUnitBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' || c == '/' || c == '_';
         });
}

// "12.5ms" or "U": fills value or total, and unit.
bool take_value(std::string_view text, Entry& entry) {
  if (text == "U") return true;
  const std::string_view digits = text.substr(0, text.find_last_of("0123456789.") + 1);  // npos + 1 is 0: no digits
  const std::string_view unit = text.substr(digits.size());
  const auto number = to_finite(digits);
  if (!number || !is_unit(unit)) return false;
  entry.unit = ucum(unit);
  (unit == "c" ? entry.total : entry.value) = number;
  return true;
}

// "label=value[UOM];warn;crit;min;max", cut off `text`, which does not begin with a blank.
std::optional<Entry> take_entry(std::string_view& text) {
  const auto label = take_label(text);
  std::string_view fields = cut_before(text, kBlanks);
  Entry entry;
  if (!label || !take_value(cut_before(fields, ";"), entry)) return std::nullopt;
  entry.name = clipped(*label, kLabelBytesMax);
  std::string_view ranges[4];  // warning, critical, minimum, maximum
  for (std::string_view& range : ranges) {
    if (fields.empty()) break;
    fields.remove_prefix(1);
    range = cut_before(fields, ";");
  }
  entry.warning = clipped(ranges[0], kLabelBytesMax);
  entry.critical = clipped(ranges[1], kLabelBytesMax);
  entry.minimum = to_limit(ranges[2]);
  entry.maximum = to_limit(ranges[3]);
  if (!fields.empty()) return std::nullopt;
  return entry;
}

void read_data(std::string_view text, Reading& reading) {
  std::size_t bad = 0;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) break;
    if (reading.entries.size() == kEntriesMax) {
      reading.problems.push_back(
          {"exec.limit", "it printed more than the " + std::to_string(kEntriesMax) + " numbers that are taken"});
      break;
    }
    const std::string_view begin = text;
    if (auto entry = take_entry(text)) {
      reading.entries.push_back(*std::move(entry));
    } else if (++bad <= kProblemsMax) {
      const std::string_view taken = begin.substr(0, begin.size() - text.size());
      reading.problems.push_back({"exec.performance_data", "this is no performance data: " + quoted_beginning(taken)});
    }
  }
  if (bad > kProblemsMax) {
    reading.problems.push_back({"exec.performance_data", std::to_string(bad - kProblemsMax) + " more like these"});
  }
}

}  // namespace

Reading read_nagios(std::string_view output) {
  Reading reading;
  std::string data;
  bool first = true;
  bool only_data = false;  // after the second "|"
  while (const auto line = next_line(output)) {
    if (only_data) {
      data.append(" ").append(*line);
      continue;
    }
    const std::size_t bar = line->find('|');
    std::string_view text = line->substr(0, bar);
    text.remove_suffix(text.size() - (text.find_last_not_of(kBlanks) + 1));  // npos + 1 is 0
    if (first) reading.text = clipped(text, kTextBytesMax);
    if (bar != std::string_view::npos) data.append(" ").append(line->substr(bar + 1));
    only_data = bar != std::string_view::npos && !first;
    first = false;
  }
  read_data(data, reading);
  return reading;
}

}  // namespace pganalytics::exec
