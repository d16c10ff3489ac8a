#include "core/transport/answers.h"

#include "tests/support/catch.h"

#include <tuple>

using namespace pganalytics;
using namespace pganalytics::transport;
using Verdict = PushAnswer::Verdict;

namespace {

HttpAnswer make(int status, std::string body = "") {
  HttpAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

constexpr char kGood[] =
    R"({"status":"success","ack":"abc.7","metrics_count":3,"duplicate":true,"rejected":[{"index":1}],"config_version":9})";

}  // namespace

TEST_CASE("a push counts only with our own acknowledgement") {
  const PushAnswer good = judge_push(make(200, kGood), "abc.7", 0);
  CHECK(good.verdict == Verdict::kAcknowledged);
  CHECK(good.duplicate);
  CHECK(good.accepted == 3);
  CHECK(good.rejected == 1);
  CHECK(good.config_version == 9);

  for (const char* body :
       {"", "<html>Please log in</html>", "{}", "[]", "null", R"({"status":"success"})", R"({"ack":"abc.7"})",
        R"({"status":"success","ack":"abc.8"})", R"({"status":"error","ack":"abc.7"})", R"({"status":"success","ack":7})",
        R"({"status":"success","ack":"abc.7"} x)", R"({"status":"success","ack":"abc.8","ack":"abc.7"})"}) {
    INFO(body);
    const PushAnswer answer = judge_push(make(200, body), "abc.7", 0);
    CHECK(answer.verdict == Verdict::kRetry);
    CHECK_FALSE(answer.reason.empty());
  }
}

TEST_CASE("every status has its row in the response table") {
  const std::vector<std::tuple<int, Verdict>> table = {
      {100, Verdict::kRetry},   {301, Verdict::kRetry},    {302, Verdict::kRetry},     {307, Verdict::kRetry},
      {400, Verdict::kRefused}, {401, Verdict::kRetry},    {403, Verdict::kForbidden}, {404, Verdict::kRetry},
      {405, Verdict::kRetry},   {408, Verdict::kRetry},    {409, Verdict::kRetry},     {410, Verdict::kForbidden},
      {411, Verdict::kRetry},   {413, Verdict::kTooLarge}, {415, Verdict::kRetry},     {422, Verdict::kRefused},
      {425, Verdict::kRetry},   {426, Verdict::kRetry},    {429, Verdict::kRetry},     {500, Verdict::kRetry},
      {501, Verdict::kRetry},   {502, Verdict::kRetry},    {503, Verdict::kRetry},     {504, Verdict::kRetry},
      {507, Verdict::kRetry},   {999, Verdict::kRetry}};
  for (const auto& [status, verdict] : table) {
    INFO(status);
    // Even with a body that would do for a 200.
    const PushAnswer answer = judge_push(make(status, kGood), "abc.7", 0);
    CHECK(answer.verdict == verdict);
    CHECK(answer.http_status == status);
    CHECK(answer.reason.find(std::to_string(status)) == 0);
  }
}

TEST_CASE("a refusal carries the server's words, cut to a line's length, and its Retry-After") {
  HttpAnswer answer = make(503, R"({"error":{"code":"busy","message":"the database is being migrated"}})");
  answer.retry_after = "7";
  const PushAnswer push = judge_push(answer, "abc.7", 0);
  CHECK(push.reason == "503: the database is being migrated");
  CHECK(push.retry_after_ms == 7'000);

  const Error error = refusal(make(500, R"({"error":{"message":")" + std::string(5000, 'x') + "\"}}"), 0);
  CHECK(error.message.size() < 400);
  CHECK(refusal(make(302), 0).message.find("redirect") != std::string::npos);
}

TEST_CASE("a call that got no answer is tried again, unless its token was forbidden") {
  CHECK(judge_failure({PGA_E_TRANSIENT, "http.connect", "refused", "", 0}).verdict == Verdict::kRetry);
  CHECK(judge_failure({PGA_E_DENIED, "http.tls", "bad certificate", "", 0}).verdict == Verdict::kRetry);
  CHECK(judge_failure({PGA_E_DENIED, "http.401", "401", "", 0}).verdict == Verdict::kRetry);
  CHECK(judge_failure({PGA_E_DENIED, "http.403", "403", "", 0}).verdict == Verdict::kForbidden);
  CHECK(judge_failure({PGA_E_DENIED, "http.410", "410", "", 0}).verdict == Verdict::kForbidden);
}

TEST_CASE("a token's life counts by the server's clock") {
  HttpAnswer answer = make(200, R"({"token":"a.b-c_d","expires_at":"1994-11-06T09:04:37Z"})");
  answer.date = "Sun, 06 Nov 1994 08:49:37 GMT";
  auto token = read_token(answer, 0);
  REQUIRE(token);
  CHECK(token.value().token == "a.b-c_d");
  CHECK(token.value().life_ms == 900'000);
  answer.date = "Sun, 06 Nov 1994 10:49:37 GMT";
  token = read_token(answer, 0);
  REQUIRE(token);
  CHECK(token.value().life_ms == 0);
}

TEST_CASE("what cannot be a token is none") {
  for (const char* body : {R"({"token":"a\r\nX-Evil: 1","expires_at":"2099-01-01T00:00:00Z"})",
                           R"({"token":"","expires_at":"2099-01-01T00:00:00Z"})", R"({"token":"a","expires_at":"soon"})",
                           R"({"token":"a"})", R"({"expires_at":"2099-01-01T00:00:00Z"})", "garbage"}) {
    INFO(body);
    CHECK_FALSE(read_token(make(200, body), 0));
  }
  CHECK_FALSE(read_token(make(200, R"({"token":")" + std::string(5000, 'a') + R"(","expires_at":"2099-01-01T00:00:00Z"})"), 0));
}

TEST_CASE("a configuration is handed over as it came; its tag can be sent back safely") {
  HttpAnswer answer = make(200, R"({"version":12,"intervals":{}})");
  answer.etag = "\"12\"";
  auto config = read_config(answer, 0);
  REQUIRE(config);
  CHECK(config.value().modified);
  CHECK(config.value().version == 12);
  CHECK(config.value().etag == "\"12\"");
  CHECK(config.value().body == answer.body);

  for (const char* tag : {"", "12", "\"12", "\"1 2\"", "\"1\"2\""}) {
    INFO(tag);
    answer.etag = tag;
    config = read_config(answer, 0);
    REQUIRE(config);
    CHECK(config.value().etag == "\"12\"");
  }

  const auto unchanged = read_config(make(304), 0);
  REQUIRE(unchanged);
  CHECK_FALSE(unchanged.value().modified);
  for (const char* body : {"<html>", "[]", "{}", R"({"version":"12"})", R"({"version":-1})"}) {
    INFO(body);
    const auto garbage = read_config(make(200, body), 0);  // for the collector to refuse, and to tell the server why
    REQUIRE(garbage);
    CHECK(garbage.value().modified);
    CHECK(garbage.value().version == 0);
    CHECK(garbage.value().etag.empty());
    CHECK(garbage.value().body == body);
  }
}

TEST_CASE("an enrolment's answer needs a UUID, a certificate and a CA") {
  const auto good = read_enrolment(
      make(
          201,
          R"({"id":"0192f0c1-0000-7000-8000-000000000001","cert":"C","ca":"A","expires_at":"2099-01-01T00:00:00Z","token":"t"})"),
      0);
  REQUIRE(good);
  CHECK(good.value().collector_id == "0192f0c1-0000-7000-8000-000000000001");
  for (const char* body :
       {R"({"id":"../../etc","cert":"C","ca":"A"})", R"({"id":"0192F0C1-0000-7000-8000-000000000001","cert":"C","ca":"A"})",
        R"({"id":"0192f0c1-0000-7000-8000-000000000001","ca":"A"})",
        R"({"id":"0192f0c1-0000-7000-8000-000000000001","cert":"C"})", "{}", ""}) {
    INFO(body);
    CHECK_FALSE(read_enrolment(make(201, body), 0));
  }
}
