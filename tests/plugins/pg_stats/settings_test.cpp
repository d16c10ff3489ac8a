#include "plugins/pg_stats/settings.h"

#include <set>

#include "plugins/pg_stats/families.h"
#include "tests/plugins/alone.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::pg_stats;
using pganalytics::testing::with_defaults;

TEST_CASE("an empty configuration is a working one") {
  const auto settings = parse_settings(with_defaults("{}"));
  REQUIRE(settings);
  CHECK(settings->conninfo == "dbname=postgres");
  CHECK(settings->selects("anything"));
  CHECK(settings->rows_max == 20'000);
  CHECK(settings->connections_max == 5);
  CHECK(settings->families.empty());
  CHECK(settings->lock_timeout == std::chrono::milliseconds(100));
  CHECK(settings->statement_timeout == std::chrono::seconds(5));
  CHECK_FALSE(settings->password_secret);
}

TEST_CASE("globs select databases, exclusion wins, and plain names are promises") {
  const auto settings = parse_settings(
      with_defaults(R"({"databases":["app_*","billing","shop[12]","old"],"exclude_databases":["app_test*","old"]})"));
  REQUIRE(settings);
  CHECK(settings->selects("app_live"));
  CHECK_FALSE(settings->selects("app_test7"));
  CHECK(settings->selects("billing"));
  CHECK(settings->selects("shop2"));
  CHECK_FALSE(settings->selects("shop3"));
  CHECK_FALSE(settings->selects("old"));
  CHECK_FALSE(settings->selects("Billing"));
  CHECK(settings->named_databases() == std::vector<std::string>{"billing"});
}

TEST_CASE("families are switched and paced by their names") {
  const auto settings = parse_settings(with_defaults(R"({"families":{"tables":{"interval":"5m"},"locks":{"enabled":false}}})"));
  REQUIRE(settings);
  CHECK(settings->families.at("tables").interval == std::chrono::minutes(5));
  CHECK(settings->families.at("tables").enabled);
  CHECK_FALSE(settings->families.at("locks").enabled);
  CHECK_FALSE(settings->families.at("locks").interval);
}

TEST_CASE("the configuration knows each family, and no other") {
  const auto schema = pganalytics::testing::config_schema();
  std::set<std::string> known, wanted;
  for (const auto& member : schema.document()["properties"]["families"]["properties"].GetObject())
    known.insert(member.name.GetString());
  for (const Family& family : families()) {
    if (family.name != "server") wanted.insert(family.name);
  }
  CHECK(known == wanted);
}

TEST_CASE("what cannot work is refused by the key's name") {
  const auto refused = [](const std::string& json) {
    const auto settings = parse_settings(with_defaults(json));
    REQUIRE_FALSE(settings);
    CHECK(settings.error().status == PGA_E_CONFIG);
    return settings.error().message;
  };
  CHECK(refused(R"({"lock_timeout":"5s"})").find("lock_timeout: ") == 0);
  CHECK(refused(R"({"statement_timeout":"0s"})").find("statement_timeout: ") == 0);  // 0 would mean "no limit"
  CHECK(refused(R"({"conninfo":"hsot=x"})").find("hsot") != std::string::npos);
  CHECK(refused(R"({"families":{"tables":{"interval":"0s"}}})").find("interval: ") == 0);
  CHECK(parse_settings("[]").error().status == PGA_E_CONFIG);
  CHECK(parse_settings("{").error().status == PGA_E_CONFIG);
  CHECK(parse_settings("{}").error().message == "conninfo: is not a text");  // a host that filled in no defaults
}
