// Prometheus remote write 1.0: samples as a snappy-compressed protobuf message (prometheus.io/docs/specs/remote_write_spec).
//
// A sample bears the time of its row, in milliseconds, and the labels job="pganalytics" and instance="<collector>", which a
// scrape would have given it. Within a request series are in the order of their times; a receiver that gets one twice has the
// same value at the same time and takes it as known. Of two rows with the same labels and time the first is sent: a receiver
// refuses a request that contradicts itself.
#pragma once

#include "core/exporters/document_reader.h"
#include "core/exporters/exporter.h"

#include <cstddef>
#include <string>
#include <vector>

namespace pganalytics::exporters {

class RemoteWrite : public Exporter {
 public:
  static constexpr std::size_t kSamplesMax = 10'000;  // of one request

  RemoteWrite(const std::vector<PluginSchema>& schemas, const config::FamilyChoice& families);
  ExportedBatch encode(const std::vector<Emitted>& batch) override;

 private:
  DocumentReader reader_;
};

}  // namespace pganalytics::exporters
