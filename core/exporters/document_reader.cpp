#include "core/exporters/document_reader.h"

#include "core/instance/instance_name.h"
#include "core/log/log.h"

#include <algorithm>
#include <pganalytics/json.hpp>
#include <utility>

namespace pganalytics::exporters {
namespace {

constexpr std::string_view kSource = "source";

}  // namespace

DocumentReader::DocumentReader(const std::vector<PluginSchema>& schemas, const config::FamilyChoice& choice) {
  for (const PluginSchema& schema : schemas) {
    auto metrics = PluginMetrics::of(schema);
    if (!metrics) {
      log::write(log::Level::kWarn, "documents of " + schema.plugin + " are not exported", metrics.error());
      continue;
    }
    auto plugin = std::make_unique<Plugin>(std::move(metrics).value());
    for (const MetricFamily& family : plugin->metrics.metrics()) plugin->chosen.push_back(choice.takes(family.name));
    plugins_.emplace(schema.plugin, std::move(plugin));
  }
}

bool DocumentReader::gather_labels(const MetricFamily& family, const schema::FamilyRow& row, std::string_view instance,
                                   std::vector<Label>& labels) {
  labels.clear();
  labels.push_back({kSource, std::string(instance)});
  for (std::size_t i = 0; i < family.labels.size(); ++i) {
    if (row.labels[i].empty()) continue;
    if (row.labels[i].size() > kLabelBytesMax) return false;
    labels.push_back({family.labels[i], mend_utf8(row.labels[i])});
  }
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.name < b.name; });
  return true;
}

Outcome DocumentReader::read(std::string_view instance, std::string_view document,
                             const std::function<Outcome(const ExportedRow&)>& on_row) {
  const auto found = plugins_.find(instance::plugin_of(instance));
  if (found == plugins_.end()) return {};
  Plugin& plugin = *found->second;
  const auto& families = plugin.metrics.families().all();
  std::vector<Label> labels;
  return plugin.rows.read(document, [&](const schema::FamilyRow& row) -> Outcome {
    if (!plugin.chosen[row.family]) return {};
    const MetricFamily& family = plugin.metrics.metrics()[row.family];
    if (!gather_labels(family, row, instance, labels)) {
      ++oversized_rows_;
      return {};
    }
    ExportedRow exported{families[row.family], family, row, std::move(labels)};
    const Outcome taken = on_row(exported);
    labels = std::move(exported.labels);
    return taken;
  });
}

}  // namespace pganalytics::exporters
