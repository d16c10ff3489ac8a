// A plugin alone, as its host treats it: its schemas, a configuration with its defaults, the one document of a run. The plugin is
// the one this program is linked with. What is not as it should be fails the test.
#pragma once

#include <pganalytics/plugin.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <pganalytics/testhost.hpp>

#include <string>
#include <utility>

#include "core/schema/schema.h"
#include "tests/support/catch.h"

namespace pganalytics::testing {

inline schema::Schema schema_in_dialect(const char* text, schema::Schema::Purpose purpose) {
  auto parsed = schema::Schema::parse(text, purpose);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return std::move(parsed).value();
}

inline schema::Schema output_schema() {
  return schema_in_dialect(pga_plugin_v1(PGA_ABI_MINOR)->descriptor->output_schema, schema::Schema::Purpose::kOutput);
}
inline schema::Schema config_schema() {
  return schema_in_dialect(pga_plugin_v1(PGA_ABI_MINOR)->descriptor->config_schema, schema::Schema::Purpose::kConfig);
}

// What the host does before configure(): fill in the defaults, then validate.
inline std::string with_defaults(const std::string& config_json = "{}") {
  const auto schema = config_schema();
  rapidjson::Document config;
  config.Parse(config_json);
  INFO(config_json);
  REQUIRE_FALSE(config.HasParseError());
  schema.fill_defaults(config);
  const Outcome valid = schema.validate(config);
  INFO((valid ? "" : valid.error().message));
  REQUIRE(valid);
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  config.Accept(writer);
  return text.GetString();
}

inline rapidjson::Document only_document(const CollectResult& result) {
  INFO(result.error_code << ": " << result.error_message);
  REQUIRE(result.status == PGA_OK);
  REQUIRE(result.documents.size() == 1);
  rapidjson::Document document;
  document.Parse(result.documents[0]);
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

}  // namespace pganalytics::testing
