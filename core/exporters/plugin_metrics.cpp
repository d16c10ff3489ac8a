#include "core/exporters/plugin_metrics.h"

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/schema/schema.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace pganalytics::exporters {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kMicrosecondsPerSecond = 1e6;
constexpr std::string_view kOwnPlugin = "collector";
constexpr std::string_view kOwnPrefix = "pganalytics_";

// Help is shown in one line.
std::string help_of(const std::string& family, const std::string& description) {
  return description.empty() ? "Of " + family + "." : description;
}

// Which family has which name.
using Names = std::map<std::string, std::string>;

// A list that is a family of its own, `sysstat_cpu`, may stand beside an object that is not, `cpu` of `sysstat`: the name of
// whoever comes later, the one that lies around the other, tells that it is about all of them.
bool take_name(MetricName& metric, const schema::Family& family, Names& names, const std::function<MetricName()>& of_all) {
  const auto [taken, is_new] = names.emplace(metric.name, family.name);
  if (is_new) return true;
  if (taken->second != family.name) {
    metric = of_all();
    if (names.emplace(metric.name, family.name).second) return true;
  }
  log::warn("two fields come to the metric " + metric.name + ": that of family " + family.name + " is not exported");
  return false;
}

std::vector<std::string> label_names(const schema::Family& family) {
  std::vector<std::string> names;
  for (const schema::FamilyText& label : family.labels) {
    std::string name = name_of_label(label.name);
    while (std::find(names.begin(), names.end(), name) != names.end()) name.insert(0, "exported_");
    names.push_back(std::move(name));
  }
  return names;
}

MetricFamily family_of(const schema::Family& family, const std::string& prefix, Names& names) {
  MetricFamily metrics{family.name, label_names(family), {}};
  const std::string full_name = prefix + family.name;
  for (std::size_t i = 0; i < family.fields.size(); ++i) {
    const schema::FamilyField& field = family.fields[i];
    const auto named = [&](const std::string& name) { return name_of_field(full_name, name, field.kind, field.unit); };
    MetricName name = named(field.name);
    if (!take_name(name, family, names, [&] { return named(field.name + "_all"); })) continue;
    metrics.metrics.push_back({std::move(name), help_of(family.name, field.description),
                               field.kind == schema::FieldKind::kCounter, Metric::From::kField, i});
  }
  for (std::size_t i = 0; i < family.facts.size(); ++i) {
    const schema::FamilyText& fact = family.facts[i];
    if (!fact.is_time) continue;
    const auto named = [&](const std::string& name) { return MetricName{name_of_time(full_name, name), 1, 1}; };
    MetricName name = named(fact.name);
    if (!take_name(name, family, names, [&] { return named(fact.name + "_all"); })) continue;
    metrics.metrics.push_back({std::move(name), help_of(family.name, fact.description), false, Metric::From::kTime, i});
  }
  return metrics;
}

}  // namespace

bool operator==(const PluginSchema& a, const PluginSchema& b) {
  return a.plugin == b.plugin && a.output_schema == b.output_schema;
}

double Metric::value_in(const schema::FamilyRow& row) const {
  if (from == From::kField) return row.fields[slot] * name.multiply_by / name.divide_by;
  const auto unix_ns = clock::parse_rfc3339(row.facts[slot]);
  // Microseconds: nanoseconds would not fit a double.
  return unix_ns ? static_cast<double>(*unix_ns / 1'000) / kMicrosecondsPerSecond : kNone;
}

Expected<PluginMetrics> PluginMetrics::of(const PluginSchema& schema) {
  PGA_TRY(const schema::Schema parsed, schema::Schema::parse(schema.output_schema, schema::Schema::Purpose::kOutput));
  PGA_TRY(schema::Families families, schema::Families::compile(parsed.document(), schema.plugin));
  return PluginMetrics(schema.plugin, std::move(families));
}

PluginMetrics::PluginMetrics(std::string plugin, schema::Families families)
    : plugin_(std::move(plugin)), families_(std::move(families)) {
  const std::string prefix(plugin_ == kOwnPlugin ? kOwnPrefix : "");
  Names names;
  for (const schema::Family& family : families_.all()) {
    metrics_.push_back(family_of(family, prefix, names));
  }
}

std::int64_t time_of(const schema::FamilyRow& row, std::int64_t fallback_unix_ns) {
  return clock::parse_rfc3339(row.time).value_or(fallback_unix_ns);
}

}  // namespace pganalytics::exporters
