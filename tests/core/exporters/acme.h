// A small plugin's schema and documents, for every exporter's tests.
#pragma once

#include "core/exporters/document_reader.h"
#include "core/exporters/exporter.h"
#include "core/exporters/exposition.h"

#include <string>

namespace pganalytics::exporters_test {

constexpr const char* kAcmeSchema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "type": {"type": "string", "x-kind": "info"},
    "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
    "instance": {"type": "string", "x-kind": "label"},
    "queues": {"type": "array", "x-family": "acme_queue", "items": {"type": "object", "additionalProperties": false, "properties": {
      "timestamp": {"type": "string", "format": "date-time", "x-kind": "info"},
      "name": {"type": "string", "x-kind": "label"},
      "waiting": {"type": ["integer", "null"], "x-kind": "gauge", "x-unit": "{message}", "description": "Waiting\nnow \\o/."},
      "is_open": {"type": "boolean", "x-kind": "gauge", "x-unit": "1", "description": "Takes more."},
      "delivered": {"type": ["integer", "null"], "x-kind": "counter", "x-unit": "{message}", "description": "Since the start."},
      "age_ms": {"type": ["number", "null"], "x-kind": "gauge", "x-unit": "ms", "description": "Of the oldest."},
      "balance": {"type": "integer", "x-kind": "updown", "x-unit": "By", "description": "In less out."},
      "owner": {"type": "string", "x-kind": "info"},
      "opened": {"type": ["string", "null"], "format": "date-time", "x-kind": "info", "description": "When it was opened."}}}},
    "events": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {
      "timestamp": {"type": ["string", "null"], "format": "date-time", "x-kind": "event"},
      "severity": {"type": ["string", "null"], "x-kind": "label"},
      "code": {"type": ["string", "null"], "x-kind": "label"},
      "message": {"type": ["string", "null"], "x-kind": "event"},
      "pid": {"type": ["integer", "null"], "x-kind": "info"},
      "fields": {"type": "object", "additionalProperties": {"type": ["number", "string"], "x-kind": "info"}}}}}
  }})";

inline std::vector<exporters::PluginSchema> acme() { return {{"acme", kAcmeSchema}}; }

// {"type":"acme",...,"queues":[<queues>]}
inline std::string document(const std::string& queues, const std::string& time = "2026-02-03T04:05:06.500Z") {
  return R"({"type":"acme","timestamp":")" + time + R"(","instance":"","queues":[)" + queues + "]}";
}

// What an instance emitted on the collector db1.
inline std::vector<exporters::Emitted> of_db1(const std::string& instance, std::vector<std::string> documents,
                                              std::int64_t unix_ns) {
  return {{"db1", instance, std::move(documents), unix_ns}};
}

inline exporters::ExpositionOptions options() {
  exporters::ExpositionOptions options;
  options.collector = "db1";
  options.stale_after_ms = 60'000;
  options.schemas = acme();
  return options;
}

}  // namespace pganalytics::exporters_test
