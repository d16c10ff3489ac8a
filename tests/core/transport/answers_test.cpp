#include "core/transport/answers.h"

#include "core/web/refusal.h"
#include "tests/support/catch.h"

#include <tuple>

using namespace pganalytics;
using namespace pganalytics::transport;
using namespace pganalytics::web;
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
  const PushAnswer good = judge_push(make(200, kGood), "abc.7", {});
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
    const PushAnswer answer = judge_push(make(200, body), "abc.7", {});
    CHECK(answer.verdict == Verdict::kRetry);
    CHECK_FALSE(answer.reason.empty());
  }
}

TEST_CASE("every status has its row in the response table") {
  const std::vector<std::tuple<int, Verdict>> table = {
      {100, Verdict::kRetry},        {300, Verdict::kRedirected}, {301, Verdict::kRedirected}, {302, Verdict::kRedirected},
      {304, Verdict::kRedirected},   {307, Verdict::kRedirected}, {308, Verdict::kRedirected}, {400, Verdict::kRefused},
      {401, Verdict::kUnauthorized}, {402, Verdict::kNotThisApi}, {403, Verdict::kForbidden},  {404, Verdict::kNotThisApi},
      {405, Verdict::kNotThisApi},   {408, Verdict::kRetry},      {409, Verdict::kRetry},      {410, Verdict::kGone},
      {411, Verdict::kNotThisApi},   {413, Verdict::kTooLarge},   {415, Verdict::kNotThisApi}, {422, Verdict::kRefused},
      {425, Verdict::kRetry},        {426, Verdict::kNotThisApi}, {429, Verdict::kBusy},       {431, Verdict::kNotThisApi},
      {500, Verdict::kRetry},        {501, Verdict::kNotThisApi}, {502, Verdict::kRetry},      {503, Verdict::kRetry},
      {504, Verdict::kRetry},        {507, Verdict::kRetry},      {999, Verdict::kRetry}};
  for (const auto& [status, verdict] : table) {
    INFO(status);
    // Even with a body that would do for a 200.
    const PushAnswer answer = judge_push(make(status, kGood), "abc.7", {});
    CHECK(answer.verdict == verdict);
    CHECK(answer.http_status == status);
    CHECK(answer.reason.find(std::to_string(status)) == 0);
  }
}

TEST_CASE("what is ours is told by the error's code") {
  const auto verdict = [](int status, const char* code) {
    return judge_push(make(status, R"({"error":{"code":")" + std::string(code) + "\"}}"), "abc.7", {}).verdict;
  };
  CHECK(verdict(409, "in_progress") == Verdict::kInProgress);
  CHECK(verdict(409, "other") == Verdict::kRetry);
  CHECK(verdict(422, "key_conflict") == Verdict::kKeyConflict);
  CHECK(verdict(422, "part_stored") == Verdict::kPartStored);
  CHECK(verdict(422, "other") == Verdict::kRefused);
  CHECK(verdict(400, "key_conflict") == Verdict::kRefused);
}

TEST_CASE("a 413 tells what would fit") {
  const auto answer = [](const char* error) { return judge_push(make(413, error), "abc.7", {}); };
  const PushAnswer body = answer(R"({"error":{"code":"body_too_large","max_bytes":1048576}})");
  CHECK(body.max_bytes == 1'048'576);
  CHECK_FALSE(body.max_is_expanded);
  const PushAnswer expanded = answer(R"({"error":{"code":"inflated_too_large","max_bytes":8388608}})");
  CHECK(expanded.max_bytes == 8'388'608);
  CHECK(expanded.max_is_expanded);
  for (const char* error : {"", "<html>", R"({"error":{"max_bytes":-1}})", R"({"error":{"max_bytes":"9"}})", R"({"error":[]})"}) {
    CHECK(answer(error).max_bytes == 0);
  }
}

TEST_CASE("the server's clock is taken from its own word, or else from Date") {
  const CallTimes times{1'000'000'000'000, 1'002'000'000'000};
  PushAnswer push =
      judge_push(make(200, R"({"status":"success","ack":"abc.7","server_time":"1970-01-01T00:16:50.250Z"})"), "abc.7", times);
  REQUIRE(push.clock_offset_ms);
  CHECK(*push.clock_offset_ms == 9'250);
  HttpAnswer dated = make(503);
  dated.date = "Thu, 01 Jan 1970 00:16:41 GMT";
  push = judge_push(dated, "abc.7", times);
  REQUIRE(push.clock_offset_ms);
  CHECK(*push.clock_offset_ms == 500);
  CHECK_FALSE(judge_push(make(503), "abc.7", times).clock_offset_ms);
}

TEST_CASE("a refusal carries the server's words, cut to a line's length, and its Retry-After") {
  HttpAnswer answer = make(503, R"({"error":{"code":"busy","message":"the database is being migrated"}})");
  answer.retry_after = "7";
  const PushAnswer push = judge_push(answer, "abc.7", {});
  CHECK(push.reason == "503: the database is being migrated");
  CHECK(push.retry_after_ms == 7'000);

  const Error error = web::refusal(make(500, R"({"error":{"message":")" + std::string(5000, 'x') + "\"}}"), 0);
  CHECK(error.message.size() < 400);
  CHECK(refusal(make(302), 0).message.find("redirect") != std::string::npos);
}

TEST_CASE("a call that got no answer is tried again, unless its token was forbidden") {
  CHECK(judge_failure({PGA_E_TRANSIENT, "http.connect", "refused", "", 0}).verdict == Verdict::kRetry);
  CHECK(judge_failure({PGA_E_DENIED, "http.tls", "bad certificate", "", 0}).verdict == Verdict::kRetry);
  const auto verdict = [](const char* code) { return judge_failure({PGA_E_DENIED, code, "no", "", 0}).verdict; };
  CHECK(verdict("http.401") == Verdict::kUnauthorized);
  CHECK(verdict("http.403") == Verdict::kForbidden);
  CHECK(verdict("http.410") == Verdict::kGone);
  CHECK(verdict("http.404") == Verdict::kNotThisApi);
  CHECK(verdict("http.429") == Verdict::kBusy);
  CHECK(verdict("http.302") == Verdict::kRedirected);
  // No batch is to blame for what its token's call got.
  for (const char* code : {"http.400", "http.409", "http.413", "http.422", "http.500", "answer.form"})
    CHECK(verdict(code) == Verdict::kRetry);
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

TEST_CASE("an acknowledgement with odd members beside is one, and they count for nothing") {
  for (const char* more :
       {R"("duplicate":"yes","rejected":7)", R"("duplicate":null,"rejected":{})", R"("config_version":"9","metrics_count":-3)"}) {
    INFO(more);
    const PushAnswer answer =
        judge_push(make(200, R"({"status":"success","ack":"abc.7",)" + std::string(more) + "}"), "abc.7", {});
    CHECK(answer.verdict == Verdict::kAcknowledged);
    CHECK_FALSE(answer.duplicate);
    CHECK(answer.rejected == 0);
    CHECK(answer.accepted == 0);
    CHECK(answer.config_version == 0);
  }
  CHECK(judge_push(make(200, R"({"status":"success","ack":"abc.7","metrics_count":99999999999})"), "abc.7", {}).accepted ==
        UINT32_MAX);
}

TEST_CASE("UUIDs and tags are taken in one form each") {
  CHECK(is_uuid("0192f0c1-0000-7000-8000-000000000001"));
  for (const char* text :
       {"", "0192f0c1-0000-7000-8000-00000000000", "0192f0c1x0000-7000-8000-000000000001", "0192f0c1-0000-7000-8000-00000000000g",
        "0192f0c1-0000-7000-8000-00000000000/", "0192f0c1-0000-7000-8000-00000000000:", "0192f0c-10000-7000-8000-000000000001"}) {
    INFO(text);
    CHECK_FALSE(is_uuid(text));
  }
  CHECK(is_etag("\"a-b\""));
  CHECK(is_etag('"' + std::string(126, 'x') + '"'));
  for (const std::string& text : {std::string("\""), '"' + std::string(127, 'x') + '"', std::string("a\""),
                                  std::string("\"a\x7f\""), std::string("\"a\tb\"")}) {
    INFO(text);
    CHECK_FALSE(is_etag(text));
  }
}

TEST_CASE("answers of certificates and CAs without any are none") {
  for (const char* body : {R"({"cert":"","ca":""})", R"({"cert":7,"ca":7})", "{}", "[]", ""}) {
    INFO(body);
    CHECK_FALSE(read_certificate(make(200, body), 0));
    CHECK_FALSE(read_ca(make(200, body), 0));
  }
  CHECK(read_certificate(make(404), 0).error().status == PGA_E_NOTFOUND);
  CHECK(read_ca(make(503), 0).error().status == PGA_E_TRANSIENT);
}
