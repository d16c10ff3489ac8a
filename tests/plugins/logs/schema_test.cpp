// The two schemas are in the dialect the host enforces, and the defaults make a configuration the plugin takes.
#include "core/schema/schema.h"
#include "plugins/logs/config.h"
#include "tests/support/catch.h"

#include <pganalytics/plugin.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace pganalytics::logs {

TEST_CASE("the output schema is in the dialect") {
  const auto parsed =
      schema::Schema::parse(pga_plugin_v1(PGA_ABI_MINOR)->descriptor->output_schema, schema::Schema::Purpose::kOutput);
  INFO((parsed ? std::string() : parsed.error().message));
  CHECK(parsed);
}

TEST_CASE("the config schema is in the dialect and its defaults are accepted") {
  const auto parsed =
      schema::Schema::parse(pga_plugin_v1(PGA_ABI_MINOR)->descriptor->config_schema, schema::Schema::Purpose::kConfig);
  INFO((parsed ? std::string() : parsed.error().message));
  REQUIRE(parsed);
  rapidjson::Document document;
  document.Parse("{}");
  parsed.value().fill_defaults(document);
  REQUIRE(parsed.value().validate(document));
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  document.Accept(writer);
  const auto config = parse_config(text.GetString());
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  CHECK(config.value().redact);
  CHECK(config.value().start_at_end);
  CHECK(config.value().wants(Severity::kLog));
  CHECK(config.value().wants(std::nullopt));
  CHECK_FALSE(config.value().wants(Severity::kDebug));
  CHECK(config.value().max_bytes_per_run == 16u << 20);
  CHECK(config.value().idle_ms == 1000);
}

}  // namespace pganalytics::logs
