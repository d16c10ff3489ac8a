#include "core/exporters/otlp_json.h"

#include "core/exporters/otlp_logs.h"
#include "core/log/log.h"
#include "core/schema/json_text.h"

#include <cmath>
#include <map>
#include <pganalytics/json.hpp>
#include <utility>

namespace pganalytics::exporters {
namespace {

constexpr int kCumulative = 2;  // AggregationTemporality of metrics.proto

struct OtlpMetric {
  std::string head;                 // members before the points: {"name":...,"unit":...,"sum":{...,"dataPoints":[
  std::vector<std::string> points;  // NumberDataPoint
};
using OtlpMetrics = std::map<std::string, OtlpMetric>;  // by name

// Everything of a Metric before its points; "]}}" ends it.
std::string head_of(const std::string& name, std::string_view unit, std::string_view description, schema::FieldKind kind) {
  JsonWriter json;
  json.begin_object().member("name", name).member("unit", unit).member("description", description);
  if (kind == schema::FieldKind::kGauge) {
    json.key("gauge").begin_object();
  } else {
    json.key("sum")
        .begin_object()
        .member("aggregationTemporality", kCumulative)
        .member("isMonotonic", kind == schema::FieldKind::kCounter);
  }
  json.key("dataPoints").begin_array();
  return std::string(json.text());
}

std::string point_of(const std::string& attributes, std::int64_t unix_ns, double value) {
  JsonWriter json;
  json.begin_object()
      .key("attributes")
      .json(attributes)
      .member("timeUnixNano", std::to_string(unix_ns))
      .member("asDouble", value)
      .end_object();
  return std::string(json.text());
}

void add_points(OtlpMetrics& metrics, const ExportedRow& row, const std::string& attributes, std::int64_t unix_ns) {
  const auto add = [&](const std::string& field, std::string_view unit, const std::string& description, schema::FieldKind kind,
                       double value) {
    if (std::isnan(value)) return;
    const std::string name = row.schema.name + "." + field;
    OtlpMetric& metric = metrics[name];
    if (metric.head.empty()) metric.head = head_of(name, unit, description, kind);
    metric.points.push_back(point_of(attributes, unix_ns, value));
  };
  for (std::size_t i = 0; i < row.schema.fields.size(); ++i) {
    const schema::FamilyField& field = row.schema.fields[i];
    add(field.name, field.unit, field.description, field.kind, row.row.fields[i]);
  }
  for (const Metric& metric : row.family.metrics) {
    if (metric.from != Metric::From::kTime) continue;
    const schema::FamilyText& fact = row.schema.facts[metric.slot];
    add(fact.name, "s", fact.description, schema::FieldKind::kGauge, metric.value_in(row.row));
  }
}

// The text of a metrics array for each request.
std::vector<std::string> metric_lists(const OtlpMetrics& metrics) {
  std::vector<std::string> lists;
  std::size_t room = 0;
  for (const auto& [name, metric] : metrics) {
    for (std::size_t at = 0; at < metric.points.size();) {
      if (room == 0) {
        lists.emplace_back();
        room = OtlpJson::kItemsMax;
      }
      std::string& list = lists.back();
      list.append(list.empty() ? "" : ",").append(metric.head);
      for (bool first = true; room > 0 && at < metric.points.size(); ++at, --room, first = false) {
        list.append(first ? "" : ",").append(metric.points[at]);
      }
      list.append("]}}");
    }
  }
  return lists;
}

}  // namespace

OtlpJson::OtlpJson(std::string version, const std::vector<PluginSchema>& schemas, const config::FamilyChoice& families)
    : version_(std::move(version)), reader_(schemas, families) {}

ExportedBatch OtlpJson::encode(const std::vector<Emitted>& batch) {
  ExportedBatch exported;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t before = exported.requests.size();
    encode(batch[i], exported);
    if (exported.requests.size() > before) exported.requests.back().emitted_done = i + 1;
  }
  return exported;
}

// Requests of its own: resource and scope are those of one collector's instance.
void OtlpJson::encode(const Emitted& emitted, ExportedBatch& batch) {
  const std::string& instance = emitted.instance;
  OtlpMetrics metrics;
  std::vector<std::string> records;
  for (const std::string& document : emitted.documents) {
    const Outcome read = reader_.read(instance, document, [&](const ExportedRow& row) -> Outcome {
      const std::int64_t unix_ns = time_of(row.row, emitted.unix_ns);
      if (row.schema.is_events) {
        PGA_TRY(std::string record, otlp_log_record(row, instance, unix_ns, emitted.unix_ns));
        records.push_back(std::move(record));
      } else {
        add_points(metrics, row, otlp_attributes(row, instance), unix_ns);
      }
      return {};
    });
    if (read) continue;
    ++batch.unreadable_documents;
    log::write(log::Level::kWarn, "a document of " + instance + " is not exported", read.error());
  }
  const OtlpSender sender{emitted.collector, version_, instance};
  for (const std::string& list : metric_lists(metrics)) {
    batch.requests.push_back(
        {"/v1/metrics", {"Content-Type: application/json"}, sender.wrap("resourceMetrics", "scopeMetrics", "metrics", list), 0});
  }
  for (const std::string& list : record_lists(records, kItemsMax)) {
    batch.requests.push_back(
        {"/v1/logs", {"Content-Type: application/json"}, sender.wrap("resourceLogs", "scopeLogs", "logRecords", list), 0});
  }
}

std::string OtlpJson::complaint_in(const std::string& answer) const {
  const auto json = schema::parse_json(answer);
  if (!json || !json->IsObject()) return "";
  const auto partial = json->FindMember("partialSuccess");
  if (partial == json->MemberEnd() || !partial->value.IsObject()) return "";
  const auto message = partial->value.FindMember("errorMessage");
  for (const char* rejected : {"rejectedDataPoints", "rejectedLogRecords"}) {
    const auto count = partial->value.FindMember(rejected);
    if (count == partial->value.MemberEnd()) continue;
    // 64-bit integers are texts in this form.
    const std::string text = count->value.IsString()   ? count->value.GetString()
                             : count->value.IsUint64() ? std::to_string(count->value.GetUint64())
                                                       : "";
    if (text.empty() || text == "0") continue;
    const bool says_why = message != partial->value.MemberEnd() && message->value.IsString();
    return text + " " + rejected + (says_why ? std::string(": ") + message->value.GetString() : "");
  }
  return "";
}

}  // namespace pganalytics::exporters
