// One plugin's documents as metrics: what its output schema (core/schema/families.h) comes to in the world of Prometheus.
//
// The collector's own documents are a plugin like others, "collector"; its families get the program's name as a prefix, as
// applications' own metrics have it: pganalytics_collector_plugin_runs_total.
// Immutable once made. [any thread]
#pragma once

#include "core/exporters/metric_names.h"
#include "core/schema/families.h"
#include "core/schema/family_rows.h"

#include <cstddef>
#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::exporters {

// A plugin as its descriptor has it.
struct PluginSchema {
  std::string plugin;         // its id
  std::string output_schema;  // JSON text
};
bool operator==(const PluginSchema& a, const PluginSchema& b);

struct Metric {
  enum class From { kField, kTime };
  MetricName name;
  std::string help;
  bool is_counter = false;
  From from = From::kField;
  std::size_t slot = 0;  // of the row's fields, or of its facts

  // NaN: the row has none.
  [[nodiscard]] double value_in(const schema::FamilyRow& row) const;
};

// A family of the schema; of one that holds events there are no metrics.
struct MetricFamily {
  std::string name;                 // as in the schema: what include and exclude speak of
  std::vector<std::string> labels;  // names, in the order of the row's labels
  std::vector<Metric> metrics;
};

class PluginMetrics {
 public:
  // PGA_E_CONFIG: not an output schema that the host would take. Of two fields of a family that come to one name the
  // second is left out (wait_ms, wait_seconds); of two families the second one's ends in _all.
  static Expected<PluginMetrics> of(const PluginSchema& schema);

  [[nodiscard]] const std::string& plugin() const { return plugin_; }
  [[nodiscard]] const schema::Families& families() const { return families_; }
  // By the index of schema::Families::all().
  [[nodiscard]] const std::vector<MetricFamily>& metrics() const { return metrics_; }

 private:
  PluginMetrics(std::string plugin, schema::Families families);
  std::string plugin_;
  schema::Families families_;
  std::vector<MetricFamily> metrics_;
};

// A row's moment in Unix nanoseconds; `fallback` where the row does not say one.
std::int64_t time_of(const schema::FamilyRow& row, std::int64_t fallback_unix_ns);

}  // namespace pganalytics::exporters
