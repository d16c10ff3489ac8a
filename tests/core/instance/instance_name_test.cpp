#include "core/instance/instance_name.h"

#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("a whole name is the plugin's id, and behind an @ the instance's name") {
  CHECK(instance::plugin_of("pg_stats@prod2") == "pg_stats");
  CHECK(instance::suffix_of("pg_stats@prod2") == "@prod2");
  CHECK(instance::plugin_of("pg_stats") == "pg_stats");
  CHECK(instance::suffix_of("pg_stats").empty());
  CHECK(instance::suffix_of("pg_stats@") == "@");  // not the unnamed one
  CHECK(instance::suffix_of("a@b@c") == "@b@c");
}

TEST_CASE("an instance's name is short and harmless wherever it is written") {
  for (const char* right : {"pg_stats", "pg_stats@a", "pg_stats@0", "pg_stats@prod-2_b", "x@01234567890123456789012345678901"}) {
    CAPTURE(right);
    CHECK(instance::check_suffix(right));
  }
  for (const char* wrong :
       {"pg_stats@", "pg_stats@Prod", "pg_stats@-a", "pg_stats@_a", "pg_stats@a.b", "pg_stats@a/b", "pg_stats@a b",
        "pg_stats@a@b", "pg_stats@\xC3\xA4", "x@012345678901234567890123456789012", "x@a\n", "x@../a"}) {
    CAPTURE(wrong);
    const Outcome judged = instance::check_suffix(wrong);
    REQUIRE_FALSE(judged);
    CHECK(judged.error().status == PGA_E_CONFIG);
    CHECK(judged.error().code == "config.instance_name");
    CHECK_FALSE(judged.error().hint.empty());
  }
}

TEST_CASE("the head of a table has quotes where TOML needs them") {
  CHECK(instance::table_of("pg_stats") == "[plugins.pg_stats]");
  CHECK(instance::table_of("pg_stats@prod2") == R"([plugins."pg_stats@prod2"])");
}
