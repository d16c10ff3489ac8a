#include "core/exporters/remote_write.h"

#include "core/exporters/prometheus_text.h"
#include "core/log/log.h"

#include <snappy.h>

#include <algorithm>
#include <cmath>
#include <protozero/pbf_writer.hpp>
#include <set>
#include <utility>

namespace pganalytics::exporters {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::string_view kJob = "pganalytics";

// Field numbers of prompb/remote.proto and prompb/types.proto.
constexpr protozero::pbf_tag_type kWriteRequestTimeseries = 1;
constexpr protozero::pbf_tag_type kTimeSeriesLabels = 1, kTimeSeriesSamples = 2;
constexpr protozero::pbf_tag_type kLabelName = 1, kLabelValue = 2;
constexpr protozero::pbf_tag_type kSampleValue = 1, kSampleTimestamp = 2;

// Its labels are shared by all samples of a row.
struct Sample {
  std::string_view metric;
  std::size_t labels;  // index of the row's labels
  double value;
  std::int64_t unix_ms;
};

void add_label(protozero::pbf_writer& series, std::string_view name, std::string_view value) {
  protozero::pbf_writer label(series, kTimeSeriesLabels);
  label.add_string(kLabelName, name.data(), name.size());
  label.add_string(kLabelValue, value.data(), value.size());
}

// The labels of every sample here, sorted by name; __name__ comes first, because all others begin with a small letter.
std::vector<Label> with_target(std::vector<Label> labels, const std::string& collector) {
  labels.push_back({"collector", collector});
  labels.push_back({"instance", collector});
  labels.push_back({"job", std::string(kJob)});
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.name < b.name; });
  return labels;
}

ExportRequest request_of(const Sample* begin, const Sample* end, const std::vector<std::vector<Label>>& rows) {
  std::string message;
  protozero::pbf_writer request(message);
  for (const Sample* sample = begin; sample != end; ++sample) {
    protozero::pbf_writer series(request, kWriteRequestTimeseries);
    add_label(series, "__name__", sample->metric);
    for (const Label& label : rows[sample->labels]) add_label(series, label.name, label.value);
    protozero::pbf_writer point(series, kTimeSeriesSamples);
    point.add_double(kSampleValue, sample->value);
    point.add_int64(kSampleTimestamp, sample->unix_ms);
  }
  ExportRequest exported;
  exported.headers = {"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
                      "X-Prometheus-Remote-Write-Version: 0.1.0"};
  snappy::Compress(message.data(), message.size(), &exported.body);
  return exported;
}

}  // namespace

RemoteWrite::RemoteWrite(const std::vector<PluginSchema>& schemas, const config::FamilyChoice& families)
    : reader_(schemas, families) {}

ExportedBatch RemoteWrite::encode(const std::vector<Emitted>& batch) {
  ExportedBatch exported;
  std::vector<std::vector<Label>> rows;
  std::vector<Sample> samples;
  std::set<std::pair<std::string, std::int64_t>> seen;  // of rows: collector, family, labels and time
  for (const Emitted& emitted : batch) {
    const auto take = [&](const ExportedRow& row) -> Outcome {
      if (row.schema.is_events || row.family.metrics.empty()) return {};
      const std::int64_t unix_ms = time_of(row.row, emitted.unix_ns) / kNsPerMs;
      const std::string key = emitted.collector + '\0' + row.family.name + label_text(row.labels);
      if (!seen.emplace(key, unix_ms).second) return {};
      rows.push_back(with_target(row.labels, emitted.collector));
      for (const Metric& metric : row.family.metrics) {
        const double value = metric.value_in(row.row);
        if (!std::isnan(value)) samples.push_back({metric.name.name, rows.size() - 1, value, unix_ms});
      }
      return {};
    };
    for (const std::string& document : emitted.documents) {
      const Outcome read = reader_.read(emitted.instance, document, take);
      if (read) continue;
      ++exported.unreadable_documents;
      log::write(log::Level::kWarn, "a document of " + emitted.instance + " is not exported", read.error());
    }
  }
  std::stable_sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.unix_ms < b.unix_ms; });
  for (std::size_t at = 0; at < samples.size(); at += kSamplesMax) {
    const std::size_t count = std::min(kSamplesMax, samples.size() - at);
    exported.requests.push_back(request_of(samples.data() + at, samples.data() + at + count, rows));
  }
  if (!exported.requests.empty()) exported.requests.back().emitted_done = batch.size();
  return exported;
}

}  // namespace pganalytics::exporters
