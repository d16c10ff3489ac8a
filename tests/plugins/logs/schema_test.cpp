// The two schemas are in the dialect the host enforces, and the defaults make a configuration the plugin takes.
#include "plugins/logs/config.h"
#include "tests/plugins/alone.h"
#include "tests/support/catch.h"

namespace pganalytics::logs {

TEST_CASE("the schemas are in the dialect and the defaults are accepted") {
  testing::output_schema();
  const auto config = parse_config(testing::with_defaults());
  INFO((config ? std::string() : config.error().message));
  REQUIRE(config);
  CHECK(config.value().redact == Redaction::kAll);
  CHECK(config.value().start_at_end);
  CHECK(config.value().wants(Severity::kLog));
  CHECK(config.value().wants(std::nullopt));
  CHECK_FALSE(config.value().wants(Severity::kDebug));
  CHECK(config.value().max_bytes_per_run == 256u << 20);
  CHECK(config.value().idle_ms == 1000);
}

}  // namespace pganalytics::logs
