// OTLP over HTTP in its JSON form (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): numbers to <url>/v1/metrics,
// events to <url>/v1/logs.
//
// OpenTelemetry has names and units of its own kind, so nothing is converted: a field is the metric <family>.<field> with the
// schema's UCUM unit, a counter a monotonic cumulative sum, an updown a sum that is not monotonic, a gauge a gauge. Labels are
// attributes; the instance of the plugin is the scope's name and the attribute `source`. An event is a log record: its `message`
// is the body, its `severity` the severity, whatever else is scalar in it an attribute.
#pragma once

#include "core/exporters/document_reader.h"
#include "core/exporters/exporter.h"

#include <string>
#include <vector>

namespace pganalytics::exporters {

class OtlpJson : public Exporter {
 public:
  static constexpr std::size_t kItemsMax = 5'000;  // data points or log records of one request

  OtlpJson(std::string version, const std::vector<PluginSchema>& schemas, const config::FamilyChoice& families);
  ExportedBatch encode(const std::vector<Emitted>& batch) override;
  // Of a partialSuccess.
  [[nodiscard]] std::string complaint_in(const std::string& answer) const override;

 private:
  void encode(const Emitted& emitted, ExportedBatch& batch);

  const std::string version_;
  DocumentReader reader_;
};

}  // namespace pganalytics::exporters
