#include "core/transport/answers.h"

#include "core/clock/clock.h"
#include "core/schema/json_text.h"
#include "core/web/refusal.h"
#include "core/web/retry_after.h"

#include <algorithm>
#include <charconv>
#include <pganalytics/json.hpp>

namespace pganalytics::transport {
namespace {

using Verdict = PushAnswer::Verdict;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::int64_t kTokenLifeMaxMs = 24LL * 3600 * 1000;

Expected<rapidjson::Document> read_object(const web::HttpAnswer& answer) {
  PGA_TRY(rapidjson::Document document, schema::parse_json(answer.body, {web::kAnswerBytesMax, 16, 4096}));
  if (!document.IsObject()) return Error{PGA_E_FAIL, "answer.form", "not a JSON object", "", 0};
  return document;
}

const rapidjson::Value* find(const rapidjson::Value& object, const char* key) {
  const auto member = object.FindMember(key);
  return member == object.MemberEnd() ? nullptr : &member->value;
}

std::string string_at(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value* value = find(object, key);
  return value != nullptr && value->IsString() ? std::string(value->GetString(), value->GetStringLength()) : std::string();
}

std::uint64_t number_at(const rapidjson::Value& object, const char* key) {
  const rapidjson::Value* value = find(object, key);
  return value != nullptr && value->IsUint64() ? value->GetUint64() : 0;
}

// SHA-256 digests in hex; what is none, or beyond the first few, is passed over.
std::vector<std::string> digests_at(const rapidjson::Value& object, const char* key) {
  constexpr std::size_t kMost = 100;
  std::vector<std::string> digests;
  const rapidjson::Value* list = find(object, key);
  if (list == nullptr || !list->IsArray()) return digests;
  for (const rapidjson::Value& entry : list->GetArray()) {
    const std::string_view text = entry.IsString() ? std::string_view(entry.GetString(), entry.GetStringLength()) : "";
    const bool is_digest = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (is_digest && digests.size() < kMost) digests.emplace_back(text);
  }
  return digests;
}

std::uint32_t small_number(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX));
}

Error not_ours(const web::HttpAnswer& answer, const std::string& why) {
  return {PGA_E_TRANSIENT, "answer.form", std::to_string(answer.status) + " with an answer that is not this API's (" + why + ")",
          "Check that the address is that of pganalytics-server, not of a proxy or portal.", 0};
}

void judge_batch(const web::HttpAnswer& answer, PushAnswer& push) {
  const web::Problem problem = web::problem_of(answer);
  switch (answer.status) {
    case 400: push.verdict = Verdict::kRefused; return;
    case 409: push.verdict = problem.code == "in_progress" ? Verdict::kInProgress : Verdict::kRetry; return;
    case 413:
      push.verdict = Verdict::kTooLarge;
      push.max_bytes = problem.max_bytes;
      push.max_is_expanded = problem.code == "inflated_too_large";
      return;
    case 422:
      push.verdict = problem.code == "key_conflict"  ? Verdict::kKeyConflict
                     : problem.code == "part_stored" ? Verdict::kPartStored
                                                     : Verdict::kRefused;
      return;
    default: push.verdict = web::verdict_of(answer.status); return;
  }
}

// The server's clock less ours, the server's word taken to be from the middle of the call. Its Date has no fractions.
std::optional<std::int64_t> clock_offset_ms(const web::HttpAnswer& answer, const std::string& server_time,
                                            const CallTimes& times) {
  const auto told = clock::parse_rfc3339(server_time);
  const auto dated = web::parse_http_date(answer.date);
  if (!told && !dated) return std::nullopt;
  const std::int64_t theirs_ms = told ? *told / kNsPerMs : *dated / kNsPerMs + 500;
  return theirs_ms - (times.sent_unix_ns / 2 + times.answered_unix_ns / 2) / kNsPerMs;
}

// A 2xx: only our own acknowledgement makes it one.
void judge_acknowledgement(const web::HttpAnswer& answer, const std::string& key, PushAnswer& push) {
  const auto body = read_object(answer);
  if (!body) {
    push.reason = not_ours(answer, body.error().message).message;
    return;
  }
  const rapidjson::Document& document = body.value();
  if (string_at(document, "status") != "success" || string_at(document, "ack") != key) {
    push.reason = not_ours(answer, "no acknowledgement of " + key).message;
    return;
  }
  push.verdict = Verdict::kAcknowledged;
  push.server_time = string_at(document, "server_time");
  push.config_version = number_at(document, "config_version");
  push.accepted = small_number(number_at(document, "metrics_count"));
  const rapidjson::Value* duplicate = find(document, "duplicate");
  push.duplicate = duplicate != nullptr && duplicate->IsBool() && duplicate->GetBool();
  const rapidjson::Value* rejected = find(document, "rejected");
  push.rejected = rejected != nullptr && rejected->IsArray() ? rejected->Size() : 0;
  push.schemas_wanted = digests_at(document, "schemas_wanted");
}

// RFC 6750's b68 form: what may follow "Bearer " without making another header.
bool is_bearer_token(std::string_view text) {
  return !text.empty() && text.size() <= kTokenBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
}

}  // namespace

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash_here = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash_here ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool is_etag(std::string_view text) {
  return text.size() >= 2 && text.size() <= 128 && text.front() == '"' && text.back() == '"' &&
         std::all_of(text.begin() + 1, text.end() - 1, [](char c) { return c > ' ' && c < '\x7F' && c != '"'; });
}

PushAnswer judge_push(const web::HttpAnswer& answer, const std::string& key, const CallTimes& times) {
  PushAnswer push;
  push.http_status = answer.status;
  if (web::is_success(answer.status)) {
    judge_acknowledgement(answer, key, push);
  } else {
    const Error error = web::refusal(answer, times.answered_unix_ns);
    judge_batch(answer, push);
    push.retry_after_ms = error.retry_after_ms;
    push.reason = error.message;
  }
  push.clock_offset_ms = clock_offset_ms(answer, push.server_time, times);
  return push;
}

PushAnswer judge_failure(const Error& error) {
  constexpr std::string_view kStatus = "http.";
  PushAnswer push;
  int status = 0;
  if (error.code.size() == kStatus.size() + 3) {
    std::from_chars(error.code.data() + kStatus.size(), error.code.data() + error.code.size(), status);
  }
  // Of the token's own call: no batch is to blame.
  push.verdict = status == 400 || status == 409 || status == 413 || status == 422 ? Verdict::kRetry : web::verdict_of(status);
  push.http_status = status;
  push.retry_after_ms = error.retry_after_ms;
  push.reason = error.message;
  return push;
}

Expected<TokenAnswer> read_token(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  if (!web::is_success(answer.status)) return web::refusal(answer, now_unix_ns);
  const auto body = read_object(answer);
  if (!body) return not_ours(answer, body.error().message);
  TokenAnswer token{string_at(body.value(), "token"), 0};
  if (!is_bearer_token(token.token)) return not_ours(answer, "no token");
  const auto expires = clock::parse_rfc3339(string_at(body.value(), "expires_at"));
  if (!expires) return not_ours(answer, "no expires_at");
  // The server's own clock when it tells it: a wrong one here must not make the token look old or fresh.
  const std::int64_t now = web::parse_http_date(answer.date).value_or(now_unix_ns);
  token.life_ms = std::clamp<std::int64_t>(*expires / 1'000'000 - now / 1'000'000, 0, kTokenLifeMaxMs);
  return token;
}

Expected<ConfigAnswer> read_config(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  if (answer.status == 304) return ConfigAnswer{};
  if (!web::is_success(answer.status)) return web::refusal(answer, now_unix_ns);
  // Whatever it is: the collector judges it, and tells the server why it is none.
  const auto body = read_object(answer);
  const rapidjson::Value* const version = body ? find(body.value(), "version") : nullptr;
  ConfigAnswer config;
  config.modified = true;
  if (version != nullptr && version->IsUint64()) config.version = version->GetUint64();
  if (is_etag(answer.etag)) {
    config.etag = answer.etag;
  } else if (config.version != 0) {
    config.etag = '"' + std::to_string(config.version) + '"';
  }
  config.body = answer.body;
  return config;
}

Expected<std::string> read_certificate(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  if (!web::is_success(answer.status)) return web::refusal(answer, now_unix_ns);
  const auto body = read_object(answer);
  if (!body) return not_ours(answer, body.error().message);
  std::string certificate = string_at(body.value(), "cert");
  if (certificate.empty()) return not_ours(answer, "no cert");
  return certificate;
}

Expected<std::string> read_ca(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  if (!web::is_success(answer.status)) return web::refusal(answer, now_unix_ns);
  const auto body = read_object(answer);
  if (!body) return not_ours(answer, body.error().message);
  std::string ca = string_at(body.value(), "ca");
  if (ca.empty()) return not_ours(answer, "no ca");
  return ca;
}

Expected<EnrolmentAnswer> read_enrolment(const web::HttpAnswer& answer, std::int64_t now_unix_ns) {
  if (!web::is_success(answer.status)) return web::refusal(answer, now_unix_ns);
  const auto body = read_object(answer);
  if (!body) return not_ours(answer, body.error().message);
  EnrolmentAnswer enrolment{string_at(body.value(), "id"), string_at(body.value(), "cert"), string_at(body.value(), "ca"),
                            string_at(body.value(), "expires_at")};
  if (!is_uuid(enrolment.collector_id)) return not_ours(answer, "id is not a UUID");
  if (enrolment.certificate_pem.empty()) return not_ours(answer, "no cert");
  if (enrolment.ca_pem.empty()) return not_ours(answer, "no ca");
  return enrolment;
}

}  // namespace pganalytics::transport
