// What the host does before configure(): validate against the plugin's own schema and fill in its defaults.
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <stdexcept>
#include <string>

#include "core/schema/schema.h"
#include "pg_stats_embedded.h"

namespace pganalytics::pg_stats::testing {

inline std::string with_defaults(const std::string& config_json) {
  auto schema = schema::Schema::parse(embedded::config_schema_json, schema::Schema::Purpose::kConfig);
  if (!schema) throw std::runtime_error(schema.error().message);
  rapidjson::Document config;
  config.Parse(config_json.c_str());
  if (config.HasParseError()) throw std::runtime_error("malformed test configuration: " + config_json);
  schema->fill_defaults(config);
  if (const Outcome valid = schema->validate(config); !valid) throw std::runtime_error(valid.error().message);
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  config.Accept(writer);
  return text.GetString();
}

}  // namespace pganalytics::pg_stats::testing
