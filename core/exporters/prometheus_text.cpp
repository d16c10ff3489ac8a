#include "core/exporters/prometheus_text.h"

#include <cmath>
#include <map>

namespace pganalytics::exporters {
namespace {

// The rows in which a metric may have values.
struct Source {
  const Metric* metric;
  std::size_t index;
  const LatestRows::Rows* rows;
};

// By the metric's name.
std::map<std::string_view, std::vector<Source>> sources_in(const LatestRows& latest) {
  std::map<std::string_view, std::vector<Source>> sources;
  for (const auto& [family, rows] : latest.families()) {
    for (std::size_t i = 0; i < family->metrics.size(); ++i) {
      const Metric& metric = family->metrics[i];
      sources[metric.name.name].push_back({&metric, i, &rows});
    }
  }
  return sources;
}

}  // namespace

std::string label_text(const std::vector<Label>& labels) {
  std::string text;
  for (const Label& label : labels) telemetry::append_label(text, label.name, label.value);
  return text;
}

void write_latest(const LatestRows& latest, telemetry::MetricText& text) {
  using Kind = telemetry::MetricText::Kind;
  for (const auto& [name, sources] : sources_in(latest)) {
    bool has_begun = false;
    for (const Source& source : sources) {
      for (const auto& [labels, row] : *source.rows) {
        const double value = row.values[source.index];
        if (std::isnan(value)) continue;
        if (!has_begun) text.begin(name, source.metric->is_counter ? Kind::kCounter : Kind::kGauge, source.metric->help);
        has_begun = true;
        text.sample_of_label_text(labels, value);
      }
    }
  }
}

}  // namespace pganalytics::exporters
