#include "core/web/refusal.h"

#include "core/schema/json_text.h"
#include "core/web/retry_after.h"

#include <pganalytics/json.hpp>
#include <utility>

namespace pganalytics::web {
namespace {

std::string string_at(const rapidjson::Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || !member->value.IsString()) return "";
  return {member->value.GetString(), member->value.GetStringLength()};
}

std::uint64_t number_at(const rapidjson::Value& object, const char* key) {
  const auto member = object.FindMember(key);
  return member != object.MemberEnd() && member->value.IsUint64() ? member->value.GetUint64() : 0;
}

std::string describe(const HttpAnswer& answer) {
  const std::string message = problem_of(answer).message;
  return std::to_string(answer.status) + (message.empty() ? "" : ": " + message);
}

bool may_pass(int status) { return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500; }

}  // namespace

Problem problem_of(const HttpAnswer& answer) {
  const auto body = schema::parse_json(answer.body, {kAnswerBytesMax, 16, 4096});
  if (!body || !body->IsObject()) return {};
  const auto error = body->FindMember("error");
  if (error == body->MemberEnd() || !error->value.IsObject()) return {};
  std::string message = string_at(error->value, "message");
  if (message.size() > kMessageBytesMax) message.resize(kMessageBytesMax);
  return {string_at(error->value, "code"), mend_utf8(message), number_at(error->value, "max_bytes")};
}

Error refusal(const HttpAnswer& answer, std::int64_t now_unix_ns) {
  const int status = answer.status;
  const pga_status kind = status == 401 || status == 403 || status == 410 ? PGA_E_DENIED
                          : status == 404                                 ? PGA_E_NOTFOUND
                          : may_pass(status)                              ? PGA_E_TRANSIENT
                                                                          : PGA_E_FAIL;
  const auto wait = static_cast<std::uint32_t>(parse_retry_after_ms(answer.retry_after, answer.date, now_unix_ns));
  std::string message = describe(answer);
  if (status >= 300 && status < 400) message += " (redirects are not followed)";
  return {kind, "http." + std::to_string(status), std::move(message), "", wait};
}

}  // namespace pganalytics::web
