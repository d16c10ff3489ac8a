// OTLP's JSON form: attributes, log records, and what lies around lists of either.
//
// Private to core/exporters (otlp_json.cpp). Pure functions. [any thread]
#pragma once

#include "core/exporters/document_reader.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::exporters {

// [{"key","value":{"stringValue"}}]: the row's labels under the names that the schema gives them, and `source`.
std::string otlp_attributes(const ExportedRow& row, const std::string& instance);

// A LogRecord of an event. PGA_E_FAIL: its JSON cannot be read.
Expected<std::string> otlp_log_record(const ExportedRow& row, const std::string& instance, std::int64_t unix_ns,
                                      std::int64_t observed_unix_ns);

// Joined by commas, at most so many in each text.
std::vector<std::string> record_lists(const std::vector<std::string>& records, std::size_t records_max);

// Who sends: the resource and the scope.
struct OtlpSender {
  const std::string& collector;
  const std::string& version;
  const std::string& instance;
  // {"<resources>":[{"resource",...,"<scopes>":[{"scope",...,"<items>":[<list>]}]}]}
  [[nodiscard]] std::string wrap(const char* resources, const char* scopes, const char* items, const std::string& list) const;
};

}  // namespace pganalytics::exporters
