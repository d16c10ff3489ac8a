#include "core/collector/plugin_facts.h"

#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <sys/stat.h>

using namespace pganalytics;

TEST_CASE("facts are JSON scalars, and the id is known only after registration") {
  config::CollectorConfig config;
  config.name = "db \"1\"";
  CHECK(collector::facts_of(config, "").count("collector.id") == 0);
  const auto facts = collector::facts_of(config, "id-1");
  CHECK(facts.at("collector.id") == "\"id-1\"");
  CHECK(facts.at("collector.name") == "\"db \\\"1\\\"\"");
  CHECK_FALSE(facts.at("host.name").empty());
}

TEST_CASE("a secret is read from a file closed to others, by a name that leads nowhere else") {
  const testing::TemporaryFolder folder;
  config::CollectorConfig config;
  config.files = {folder / "c.toml"};
  std::filesystem::create_directory(folder / "secrets");
  const std::string file = folder / "secrets/db1";
  collector_test::write_text(file, "hush\n");
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  const auto secret = collector::read_secret(config, "db1");
  REQUIRE(secret);
  CHECK(*secret == std::optional<std::string>("hush"));
  const auto absent = collector::read_secret(config, "db2");
  REQUIRE(absent);
  CHECK_FALSE(absent->has_value());
  for (const char* const name : {"../c.toml", "", ".hidden", "a/b"}) CHECK_FALSE(collector::read_secret(config, name));
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  const auto open = collector::read_secret(config, "db1");
  REQUIRE_FALSE(open);
  CHECK(open.error().status == PGA_E_DENIED);
}
