// What a server, or whoever answers in its place, may send: a byte for the status, the Date, a newline, the Retry-After, a
// newline, the body. Nothing but our own acknowledgement is ever one, what goes back in a header is clean, and a wait is nothing
// or 1 s to 1 h.
// links: pganalytics::transport
#include "core/clock/clock.h"
#include "core/transport/answers.h"
#include "core/web/refusal.h"
#include "core/web/retry_after.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pganalytics;
using namespace pganalytics::transport;
using namespace pganalytics::web;

namespace {

constexpr char kKey[] = "00112233445566778899aabbccddeeff.7";

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_wait(std::int64_t ms) { return ms == 0 || (ms >= kRetryAfterMinMs && ms <= kRetryAfterMaxMs); }

// Up to the next newline, which goes too.
std::string take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string line(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool is_header_safe(const std::string& text) {
  for (const char c : text) {
    if (c <= ' ' || c == '\x7F') return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int kStatuses[] = {200, 201, 204, 301, 304, 400, 401, 403, 404, 410, 413, 422, 429,
                               500, 503, 405, 408, 409, 411, 415, 425, 426, 431, 501, 507};
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  HttpAnswer answer;
  answer.status = kStatuses[data[0] % (sizeof kStatuses / sizeof kStatuses[0])];
  answer.date = take_line(rest);
  answer.retry_after = take_line(rest);
  answer.body = rest;
  answer.etag = answer.body.substr(0, 200);

  const PushAnswer push = judge_push(answer, kKey, {});
  if (push.verdict == PushAnswer::Verdict::kAcknowledged) {
    require(answer.status < 300 && answer.body.find("success") != std::string::npos);
  } else {
    require(!push.reason.empty() && push.reason.size() < 2000);
  }
  require(is_wait(push.retry_after_ms));
  require(!push.clock_offset_ms || parse_http_date(answer.date) || clock::parse_rfc3339(push.server_time));
  if (const auto token = read_token(answer, 0)) {
    require(is_header_safe(token.value().token));
    require(token.value().life_ms >= 0 && token.value().life_ms <= 24LL * 3600 * 1000);
  }
  if (const auto config = read_config(answer, 0))
    require(config.value().modified ? config.value().etag.empty() || is_etag(config.value().etag) : answer.status == 304);
  if (const auto enrolment = read_enrolment(answer, 0)) require(is_uuid(enrolment.value().collector_id));
  if (const auto certificate = read_certificate(answer, 0)) require(!certificate.value().empty());
  if (const auto ca = read_ca(answer, 0)) require(!ca.value().empty());
  const Error refused = refusal(answer, 0);
  require(refused.status != PGA_OK && !refused.message.empty() && refused.message.size() < 2000);
  require(is_wait(refused.retry_after_ms));
  // The token's call before a push: whatever it was refused with, the batch is not to blame.
  const PushAnswer failed = judge_failure(refused);
  require(failed.verdict != PushAnswer::Verdict::kAcknowledged && failed.verdict != PushAnswer::Verdict::kRefused &&
          failed.verdict != PushAnswer::Verdict::kTooLarge && failed.verdict != PushAnswer::Verdict::kKeyConflict);
  return 0;
}
