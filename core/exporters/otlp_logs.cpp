#include "core/exporters/otlp_logs.h"

#include "core/schema/json_text.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::exporters {
namespace {

// SeverityNumber of logs.proto, for PostgreSQL's words (elog.h) and those of others.
struct Severity {
  std::string_view text;
  int number;
};
constexpr Severity kSeverities[] = {{"TRACE", 1}, {"DEBUG", 5},    {"LOG", 9},    {"INFO", 9},   {"NOTICE", 10},
                                    {"WARN", 13}, {"WARNING", 13}, {"ERROR", 17}, {"FATAL", 21}, {"PANIC", 24}};
constexpr int kUnspecified = 0;

int severity_number(std::string_view text) {
  for (const Severity& severity : kSeverities) {
    if (severity.text == text) return severity.number;
  }
  return kUnspecified;
}

std::string_view text_at(const rapidjson::Value& object, const char* key) {
  const auto found = object.FindMember(key);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

void add_text(JsonWriter& json, std::string_view key, std::string_view value) {
  json.begin_object().member("key", key).key("value").begin_object().member("stringValue", value).end_object().end_object();
}

// 64-bit integers are texts in this form.
void add_scalar(JsonWriter& json, std::string_view key, const rapidjson::Value& value) {
  if (value.IsString()) return add_text(json, key, {value.GetString(), value.GetStringLength()});
  json.begin_object().member("key", key).key("value").begin_object();
  if (value.IsBool()) json.member("boolValue", value.GetBool());
  if (value.IsInt64()) json.member("intValue", std::to_string(value.GetInt64()));
  if (value.IsNumber() && !value.IsInt64()) json.member("doubleValue", value.GetDouble());
  json.end_object().end_object();
}

// Scalars of the event and, as "fields.table", of the objects in it.
void add_members(JsonWriter& json, const rapidjson::Value& object, const std::string& prefix) {
  for (const auto& member : object.GetObject()) {
    const std::string name = prefix + std::string(member.name.GetString(), member.name.GetStringLength());
    if (name == "message" || name == "severity" || name == "timestamp") continue;
    if (member.value.IsString() || member.value.IsBool() || member.value.IsNumber()) add_scalar(json, name, member.value);
    if (member.value.IsObject() && prefix.empty()) add_members(json, member.value, name + ".");
  }
}

}  // namespace

std::string otlp_attributes(const ExportedRow& row, const std::string& instance) {
  JsonWriter json;
  json.begin_array();
  add_text(json, "source", instance);
  for (std::size_t i = 0; i < row.schema.labels.size(); ++i) {
    const std::string& name = row.schema.labels[i].name;
    if (!row.row.labels[i].empty() && name != "source") add_text(json, name, row.row.labels[i]);
  }
  return std::string(json.end_array().text());
}

Expected<std::string> otlp_log_record(const ExportedRow& row, const std::string& instance, std::int64_t unix_ns,
                                      std::int64_t observed_unix_ns) {
  PGA_TRY(const rapidjson::Document event, schema::parse_json(row.row.json));
  if (!event.IsObject()) return Error{PGA_E_FAIL, "document.syntax", "an event is no object", "", 0};
  const std::string_view severity = text_at(event, "severity");
  const std::string_view message = text_at(event, "message");
  JsonWriter json;
  json.begin_object()
      .member("timeUnixNano", std::to_string(unix_ns))
      .member("observedTimeUnixNano", std::to_string(observed_unix_ns));
  if (!severity.empty()) json.member("severityNumber", severity_number(severity)).member("severityText", severity);
  json.key("body").begin_object().member("stringValue", message.empty() ? row.row.json : message).end_object();
  json.key("attributes").begin_array();
  add_text(json, "source", instance);
  add_text(json, "event.family", row.schema.name);
  add_members(json, event, "");
  json.end_array().end_object();
  return std::string(json.text());
}

std::vector<std::string> record_lists(const std::vector<std::string>& records, std::size_t records_max) {
  std::vector<std::string> lists;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i % records_max == 0) lists.emplace_back();
    lists.back().append(lists.back().empty() ? "" : ",").append(records[i]);
  }
  return lists;
}

std::string OtlpSender::wrap(const char* resources, const char* scopes, const char* items, const std::string& list) const {
  JsonWriter json;
  json.begin_object().key(resources).begin_array().begin_object();
  json.key("resource").begin_object().key("attributes").begin_array();
  add_text(json, "service.name", "pganalytics");
  add_text(json, "service.version", version);
  add_text(json, "service.instance.id", collector);
  json.end_array().end_object();
  json.key(scopes).begin_array().begin_object();
  json.key("scope").begin_object().member("name", instance).end_object();
  json.key(items).json("[" + list + "]");
  json.end_object().end_array().end_object().end_array().end_object();
  return std::string(json.text());
}

}  // namespace pganalytics::exporters
