#include "plugins/exec/settings.h"

#include "tests/plugins/alone.h"

namespace {

using namespace pganalytics;
using exec::Command;

std::string one(const std::string& members) { return R"({"commands":[{"name":"a",)" + members + "}]}"; }

TEST_CASE("defaults and everything that can be said") {
  const auto plain = exec::parse_settings(testing::with_defaults(one(R"("argv":["/bin/true"])")));
  REQUIRE(plain);
  REQUIRE(plain.value().size() == 1);
  const Command& command = plain.value()[0];
  CHECK(command.format == exec::Format::kJson);
  CHECK(command.timeout == std::chrono::seconds(10));
  CHECK(command.cwd == "/");
  CHECK(command.env.empty());

  const auto full = exec::parse_settings(testing::with_defaults(one(
      R"("argv":["/bin/x","a b","$HOME"],"format":"nagios","timeout":"3s","cwd":"/srv","env":{"A":"1","B":{"$secret":"pw"}})")));
  REQUIRE(full);
  const Command& said = full.value()[0];
  CHECK(said.argv == std::vector<std::string>{"/bin/x", "a b", "$HOME"});
  CHECK(said.format == exec::Format::kNagios);
  CHECK(said.timeout == std::chrono::seconds(3));
  CHECK(said.cwd == "/srv");
  REQUIRE(said.env.size() == 2);
  CHECK(said.env[1].is_secret);
  CHECK(said.env[1].value == "pw");
}

TEST_CASE("what the schema refuses") {
  const auto schema = testing::config_schema();
  const std::string bad =
      GENERATE(as<std::string>(), "{}", R"({"commands":[]})", one(R"("argv":[])"), one(R"("argv":"/bin/true")"),
               one(R"("argv":["/bin/true"],"shell":true)"), one(R"("argv":["/bin/true"],"timeout":10)"),
               one(R"("argv":["/bin/true"],"format":"xml")"), one(R"("argv":["/bin/true"],"cwd":"here")"),
               one(R"("argv":["/bin/true"],"env":{"A":1})"), R"({"commands":[{"name":"A b","argv":["/x"]}]})");
  rapidjson::Document config;
  config.Parse(bad);
  INFO(bad);
  CHECK_FALSE(schema.validate(config));
}

TEST_CASE("what the plugin refuses beyond its schema names the place") {
  const auto [config, place] = GENERATE(table<std::string, std::string>({
      {one(R"("argv":["true"])"), "commands.0.argv"},
      {one(R"("argv":[""])"), "commands.0.argv"},
      {one(R"("argv":["/bin/echo","a\u0000b"])"), "commands.0.argv"},
      {one(R"("argv":["/bin/true"],"env":{"A=B":"1"})"), "commands.0.env"},
      {one(R"("argv":["/bin/true"],"env":{"":"1"})"), "commands.0.env"},
      {one(R"("argv":["/bin/true"],"timeout":"0s")"), "commands.0.timeout"},
      {R"({"commands":[{"name":"a","argv":["/x"]},{"name":"a","argv":["/y"]}]})", "two of the name 'a'"},
  }));
  const auto refused = exec::parse_settings(testing::with_defaults(config));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_CONFIG);
  INFO(refused.error().message);
  CHECK(refused.error().message.find(place) != std::string::npos);
}

}  // namespace
