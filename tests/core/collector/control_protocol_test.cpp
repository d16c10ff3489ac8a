#include "core/collector/control_protocol.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;

TEST_CASE("a request survives the way over the socket") {
  const auto status = parse_request(to_line({ControlRequest::Command::kStatus, ""}));
  REQUIRE(status);
  CHECK(status->command == ControlRequest::Command::kStatus);
  const auto release = parse_request(to_line({ControlRequest::Command::kRelease, "pg_stats"}));
  REQUIRE(release);
  CHECK(release->command == ControlRequest::Command::kRelease);
  CHECK(release->plugin == "pg_stats");
}

TEST_CASE("what is not exactly a request is refused") {
  for (const std::string line :
       {"", "status", "[]", "{}", R"({"command":1})", R"({"command":"release"})", R"({"command":"release","plugin":""})",
        R"({"command":"release","plugin":7})", R"({"command":"status","plugin":"a"})", R"({"command":"status","more":"x"})",
        R"({"command":"status"} {"command":"status"})", R"({"command":"status","command":"release"})",
        R"({"command":[[[[[["status"]]]]]]})"}) {
    INFO(line);
    const auto request = parse_request(line);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == "control.malformed");
    CHECK_FALSE(request.error().hint.empty());
  }
  CHECK_FALSE(parse_request(R"({"command":"release","plugin":")" + std::string(66, 'x') + "\"}"));
  CHECK_FALSE(parse_request(R"({"command":")" + std::string(5000, 'x') + "\"}"));
}

TEST_CASE("an unknown command is told with the nearest one") {
  const auto request = parse_request(R"({"command":"relaese"})");
  REQUIRE_FALSE(request);
  CHECK(request.error().code == "control.unknown_command");
  CHECK_THAT(request.error().hint, Contains("'release'"));
}

TEST_CASE("an answer is the result or the error that was told, and nothing else") {
  const auto result = parse_answer(answer_line(R"({"pid":7})"));
  REQUIRE(result);
  CHECK((*result)["pid"] == 7);

  const auto error = parse_answer(error_line({PGA_E_NOTFOUND, "plugin.unknown", "no \"x\"", "look", 0}));
  REQUIRE_FALSE(error);
  CHECK(error.error().status == PGA_E_NOTFOUND);
  CHECK(error.error().code == "plugin.unknown");
  CHECK(error.error().message == "no \"x\"");
  CHECK(error.error().hint == "look");

  for (const char* const line :
       {"", "{}", "[]", "{\"error\":{}}", R"({"error":{"status":0,"message":"x"}})", R"({"error":"x"})"}) {
    INFO(line);
    const auto answer = parse_answer(line);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == "control.answer");
  }
}
