#include "core/exporters/receiver.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::exporters;
using web::Verdict;

TEST_CASE("a receiver that is not ours is judged by its status alone") {
  struct Case {
    int status;
    Verdict verdict;
  };
  const Case cases[] = {{200, Verdict::kAcknowledged}, {204, Verdict::kAcknowledged}, {301, Verdict::kRedirected},
                        {400, Verdict::kRefused},      {401, Verdict::kUnauthorized}, {403, Verdict::kForbidden},
                        {404, Verdict::kNotThisApi},   {409, Verdict::kRefused},      {410, Verdict::kNotThisApi},
                        {413, Verdict::kTooLarge},     {415, Verdict::kNotThisApi},   {422, Verdict::kRefused},
                        {429, Verdict::kBusy},         {500, Verdict::kRetry},        {503, Verdict::kRetry}};
  for (const Case& each : cases) {
    CAPTURE(each.status);
    web::HttpAnswer answer;
    answer.status = each.status;
    answer.retry_after = "7";
    answer.body = "out of \xff order sample\n";
    const ReceiverAnswer judged = judge_receiver(answer, 0);
    CHECK(judged.verdict == each.verdict);
    CHECK(judged.http_status == each.status);
    if (each.verdict == Verdict::kAcknowledged) continue;
    CHECK(judged.retry_after_ms == 7'000);
    CHECK(judged.reason.find(std::to_string(each.status)) == 0);
    CHECK(judged.reason.find("out of \xEF\xBF\xBD order sample") != std::string::npos);
  }
}
