#include "core/telemetry/metric_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace pganalytics::telemetry {
namespace {

enum class Quotes { kAsTheyAre, kEscaped };

void append_escaped(std::string& text, std::string_view value, Quotes quotes) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && quotes == Quotes::kEscaped)) text += '\\';
    text += c;
  }
}

std::string label_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) append_label(text, name, value);
  return text;
}

constexpr std::string_view type_of(MetricText::Kind kind) {
  switch (kind) {
    case MetricText::Kind::kCounter: return "counter";
    case MetricText::Kind::kGauge: return "gauge";
    case MetricText::Kind::kHistogram: break;
  }
  return "histogram";
}

}  // namespace

void append_label(std::string& text, std::string_view name, std::string_view value) {
  if (!text.empty()) text += ',';
  text.append(name).append("=\"");
  append_escaped(text, value, Quotes::kEscaped);
  text += '"';
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};  // 24 characters at most
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

void MetricText::begin(std::string_view name, Kind kind, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(text_, help, Quotes::kAsTheyAre);
  text_.append("\n# TYPE ").append(name).append(" ").append(type_of(kind)).append("\n");
}

void MetricText::line(std::string_view suffix, std::string_view labels, double value) {
  text_.append(name_).append(suffix);
  if (!label_of_all_.empty() || !labels.empty()) {
    const bool both = !label_of_all_.empty() && !labels.empty();
    text_.append("{").append(label_of_all_).append(both ? "," : "").append(labels).append("}");
  }
  text_.append(" ").append(number_text(value)).append("\n");
}

void MetricText::sample(const Labels& labels, double value) { line("", label_text(labels), value); }

void MetricText::sample(const Labels& labels, const Histogram::Snapshot& durations) {
  const std::string own = label_text(labels);
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < durations.buckets.size(); ++i) {
    up_to_here += durations.buckets[i];
    std::string with_bound = own;
    append_label(with_bound, "le", i < Histogram::kBoundsSeconds.size() ? number_text(Histogram::kBoundsSeconds[i]) : "+Inf");
    line("_bucket", with_bound, static_cast<double>(up_to_here));
  }
  line("_sum", own, durations.seconds);
  line("_count", own, static_cast<double>(up_to_here));
}

void MetricText::counter(std::string_view name, std::string_view help, double value) {
  begin(name, Kind::kCounter, help);
  line("", "", value);
}

void MetricText::gauge(std::string_view name, std::string_view help, double value) {
  begin(name, Kind::kGauge, help);
  line("", "", value);
}

}  // namespace pganalytics::telemetry
