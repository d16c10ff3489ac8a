// Documents in, rows with their metrics and labels out: what every exporter begins with.
//
// Rows of a family that is not chosen are passed over, likewise documents of a plugin whose schema is not at hand. One thread at
// a time: it keeps the buffers of its readers.
#pragma once

#include "core/config/family_choice.h"
#include "core/exporters/plugin_metrics.h"

#include <functional>
#include <map>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::exporters {

struct Label {
  std::string_view name;  // the family's
  std::string value;      // UTF-8, never empty: for Prometheus an empty label is none
};

// Borrowed for the call that is given it.
struct ExportedRow {
  const schema::Family& schema;
  const MetricFamily& family;
  const schema::FamilyRow& row;
  std::vector<Label> labels;  // sorted by name, "source" among them: the instance that emitted it
};

class DocumentReader {
 public:
  // A value of a label may have so many bytes. Cutting it could make two rows one: the row is left out.
  static constexpr std::size_t kLabelBytesMax = 4096;

  // A schema that is no good is logged and left out.
  DocumentReader(const std::vector<PluginSchema>& schemas, const config::FamilyChoice& choice);

  // The rows of a document of `instance` ("pg_stats@prod2"), in its order. Errors are family_rows.h's and those of `on_row`.
  Outcome read(std::string_view instance, std::string_view document, const std::function<Outcome(const ExportedRow&)>& on_row);

  // Rows left out because a label was too long, since it was made.
  [[nodiscard]] std::uint64_t oversized_rows() const { return oversized_rows_; }

 private:
  struct Plugin {
    explicit Plugin(PluginMetrics made) : metrics(std::move(made)), rows(metrics.families()) {}
    PluginMetrics metrics;
    schema::FamilyRows rows;
    std::vector<bool> chosen;  // by family
  };
  bool gather_labels(const MetricFamily& family, const schema::FamilyRow& row, std::string_view instance,
                     std::vector<Label>& labels);

  std::map<std::string, std::unique_ptr<Plugin>, std::less<>> plugins_;
  std::uint64_t oversized_rows_ = 0;
};

}  // namespace pganalytics::exporters
