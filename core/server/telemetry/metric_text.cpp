#include "core/server/telemetry/metric_text.h"

#include <array>
#include <charconv>

namespace pganalytics::server::telemetry {
namespace {

// The shortest text that reads as this number again. None of ours is NaN or without end.
std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '\\' || c == '"') text += '\\';
      text += c;
    }
  }
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

void MetricText::begin(std::string_view name, Kind kind, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type_of(kind)).append("\n");
}

void MetricText::line(std::string_view suffix, const Labels& labels, double value) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [name, label] : labels) {
    text_ += before;
    text_.append(name).append("=\"");
    append_escaped(text_, label);
    text_ += '"';
    before = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_.append(" ").append(number_text(value)).append("\n");
}

void MetricText::sample(const Labels& labels, double value) { line("", labels, value); }

void MetricText::sample(const Labels& labels, const Histogram::Snapshot& durations) {
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  std::uint64_t up_to_here = 0;
  for (std::size_t i = 0; i < durations.buckets.size(); ++i) {
    up_to_here += durations.buckets[i];
    const std::string bound = i < Histogram::kBoundsSeconds.size() ? number_text(Histogram::kBoundsSeconds[i]) : "+Inf";
    with_bound.back().second = bound;
    line("_bucket", with_bound, static_cast<double>(up_to_here));
  }
  line("_sum", labels, durations.seconds);
  line("_count", labels, static_cast<double>(up_to_here));
}

void MetricText::counter(std::string_view name, std::string_view help, double value) {
  begin(name, Kind::kCounter, help);
  sample({}, value);
}

void MetricText::gauge(std::string_view name, std::string_view help, double value) {
  begin(name, Kind::kGauge, help);
  sample({}, value);
}

}  // namespace pganalytics::server::telemetry
