// The text format that Prometheus scrapes, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), as a writer.
//
// Each metric begins with begin(), all its samples follow. Samples bear no time: they are as new as the scrape. A writer belongs
// to one thread; the functions to any.
#pragma once

#include "core/telemetry/histogram.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::telemetry {

constexpr std::string_view kMetricContentType = "text/plain; version=0.0.4; charset=utf-8";

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;  // names are ours, values may be anything

// name="value" behind `text`, with a comma before it unless it is the first; backslash, quote and line feed escaped.
void append_label(std::string& text, std::string_view name, std::string_view value);

// The shortest text that reads as this number again; NaN, +Inf and -Inf as the format wants them.
std::string number_text(double value);

class MetricText {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };

  MetricText() = default;
  // With this label in front of each sample's own.
  MetricText(std::string_view label, std::string_view value) { append_label(label_of_all_, label, value); }

  // Its HELP and TYPE; once for a name. A counter's name ends in _total. `help` may be anything.
  void begin(std::string_view name, Kind kind, std::string_view help);
  // Of the metric that was begun last.
  void sample(const Labels& labels, double value);
  void sample(const Labels& labels, const Histogram::Snapshot& durations);
  // The same with labels that append_label() has written.
  void sample_of_label_text(std::string_view labels, double value) { line("", labels, value); }
  // A metric of one sample without labels of its own.
  void counter(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, double value);

  [[nodiscard]] const std::string& text() const& { return text_; }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  void line(std::string_view suffix, std::string_view labels, double value);

  std::string label_of_all_, name_, text_;
};

}  // namespace pganalytics::telemetry
