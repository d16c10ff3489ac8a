// What a server, or whoever answers in its place, may send: a byte for the status, then the body. Nothing but our own
// acknowledgement is ever one, and what goes back in a header is clean.
// links: pganalytics::transport
#include "core/transport/answers.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace pganalytics;
using namespace pganalytics::transport;

namespace {

constexpr char kKey[] = "00112233445566778899aabbccddeeff.7";

void require(bool condition) {
  if (!condition) std::abort();
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
  constexpr int kStatuses[] = {200, 201, 204, 301, 304, 400, 401, 403, 404, 410, 413, 422, 429, 500, 503};
  HttpAnswer answer;
  answer.status = kStatuses[data[0] % (sizeof kStatuses / sizeof kStatuses[0])];
  answer.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  answer.etag = answer.body.substr(0, 200);

  const PushAnswer push = judge_push(answer, kKey, {});
  if (push.verdict == PushAnswer::Verdict::kAcknowledged) {
    require(answer.status < 300 && answer.body.find("success") != std::string::npos);
  } else {
    require(!push.reason.empty() && push.reason.size() < 2000);
  }
  if (const auto token = read_token(answer, 0)) require(is_header_safe(token.value().token) && token.value().life_ms >= 0);
  if (const auto config = read_config(answer, 0))
    require(config.value().modified ? config.value().etag.empty() || is_etag(config.value().etag) : answer.status == 304);
  if (const auto enrolment = read_enrolment(answer, 0)) require(is_uuid(enrolment.value().collector_id));
  if (const auto certificate = read_certificate(answer, 0)) require(!certificate.value().empty());
  const Error refused = refusal(answer, 0);
  require(refused.status != PGA_OK && !refused.message.empty() && refused.message.size() < 2000);
  return 0;
}
