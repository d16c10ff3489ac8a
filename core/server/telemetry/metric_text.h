// The text format that Prometheus scrapes, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), as a writer.
//
// Each metric begins with begin(), all its samples follow. A writer belongs to one thread.
#pragma once

#include "core/server/telemetry/histogram.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::server::telemetry {

constexpr char kMetricContentType[] = "text/plain; version=0.0.4; charset=utf-8";

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;  // names are ours, values may be anything

class MetricText {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };

  // Its HELP and TYPE. `help` has no line break. A counter's name ends in _total.
  void begin(std::string_view name, Kind kind, std::string_view help);
  // Of the metric that was begun last.
  void sample(const Labels& labels, double value);
  void sample(const Labels& labels, const Histogram::Snapshot& durations);
  // A metric of one sample without labels.
  void counter(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, double value);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(std::string_view suffix, const Labels& labels, double value);

  std::string name_, text_;
};

}  // namespace pganalytics::server::telemetry
