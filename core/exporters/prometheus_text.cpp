#include "core/exporters/prometheus_text.h"

#include <charconv>
#include <cmath>
#include <map>

namespace pganalytics::exporters {
namespace {

void append_escaped(std::string& text, std::string_view value, bool quotes) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) text += '\\';
    text += c;
  }
}

void append_head(std::string& text, std::string_view name, bool is_counter, std::string_view help) {
  text.append("# HELP ").append(name).append(" ");
  append_escaped(text, help, false);
  text.append("\n# TYPE ").append(name).append(is_counter ? " counter\n" : " gauge\n");
}

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
  for (const Label& label : labels) {
    if (!text.empty()) text += ',';
    text.append(label.name).append("=\"");
    append_escaped(text, label.value, true);
    text += '"';
  }
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  const auto [end, code] = std::to_chars(text, text + sizeof text, value);
  return code == std::errc() ? std::string(text, end) : "NaN";  // 24 characters at most: it fits
}

std::string prometheus_text(const LatestRows& latest, std::string_view collector) {
  const std::string first = label_text({{"collector", std::string(collector)}});
  std::string text;
  for (const auto& [name, sources] : sources_in(latest)) {
    bool has_head = false;
    for (const Source& source : sources) {
      for (const auto& [labels, row] : *source.rows) {
        const double value = row.values[source.index];
        if (std::isnan(value)) continue;
        if (!has_head) append_head(text, name, source.metric->is_counter, source.metric->help);
        has_head = true;
        text.append(name).append("{").append(first).append(labels.empty() ? "" : ",").append(labels).append("} ");
        text.append(number_text(value)).append("\n");
      }
    }
  }
  return text;
}

void append_own_metric(std::string& text, std::string_view name, bool is_counter, std::string_view help,
                       std::string_view collector, double value) {
  append_head(text, name, is_counter, help);
  text.append(name).append("{").append(label_text({{"collector", std::string(collector)}})).append("} ");
  text.append(number_text(value)).append("\n");
}

}  // namespace pganalytics::exporters
