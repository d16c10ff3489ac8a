#include "core/server/auth/token_shape.h"

#include "core/crypto/digest.h"
#include "core/schema/json_text.h"

#include <array>
#include <optional>
#include <string>

namespace pganalytics::server::auth {
namespace {

constexpr std::size_t kSignatureBytes = 64;  // r and s of P-256, RFC 7518 section 3.4
constexpr schema::JsonLimits kJsonLimits{kTokenMaxBytes, 3, 16};

std::optional<std::array<std::string_view, 3>> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return std::array{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

Expected<rapidjson::Document> parse_part(std::string_view part, std::string_view name) {
  const auto text = crypto::parse_base64url(part);
  if (!text) return token_refused(std::string(name) + " is not base64url");
  auto document = schema::parse_json(*text, kJsonLimits);
  if (!document) return token_refused(std::string(name) + ": " + document.error().message);
  if (!document.value().IsObject()) return token_refused(std::string(name) + " is not an object");
  return document;
}

bool has(const rapidjson::Document& object, const char* name, std::string_view text) {
  const auto member = object.FindMember(name);
  return member != object.MemberEnd() && member->value.IsString() &&
         std::string_view(member->value.GetString(), member->value.GetStringLength()) == text;
}

// alg, kid and typ, each as ours, and nothing beside them.
Outcome check_header(const rapidjson::Document& header, std::string_view key_id) {
  if (!has(header, "alg", "ES256")) return token_refused("alg is not ES256");
  if (!has(header, "kid", key_id)) return token_refused("kid is not ours");
  if (!has(header, "typ", kTokenType)) return token_refused("typ is not JWT");
  if (header.MemberCount() != 3) return token_refused("header has members beside alg, kid and typ");
  return {};
}

}  // namespace

Error token_refused(std::string_view why) {
  return Error{PGA_E_DENIED, "auth.token", "access token refused: " + std::string(why), "", 0};
}

Expected<std::string> key_id_of(std::string_view token) {
  if (token.size() > kTokenMaxBytes) return token_refused("larger than 2 KiB");
  const auto parts = split(token);
  if (!parts) return token_refused("not three parts");
  PGA_TRY(const rapidjson::Document header, parse_part((*parts)[0], "header"));
  const auto member = header.FindMember("kid");
  if (member == header.MemberEnd() || !member->value.IsString()) return token_refused("no kid");
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

Expected<rapidjson::Document> unverified_payload(std::string_view token, std::string_view key_id) {
  if (token.size() > kTokenMaxBytes) return token_refused("larger than 2 KiB");
  const auto parts = split(token);
  if (!parts) return token_refused("not three parts");
  PGA_TRY(const rapidjson::Document header, parse_part((*parts)[0], "header"));
  PGA_CHECK(check_header(header, key_id));
  const auto signature = crypto::parse_base64url((*parts)[2]);
  if (!signature || signature->size() != kSignatureBytes) return token_refused("signature is not 64 bytes of base64url");
  return parse_part((*parts)[1], "payload");
}

}  // namespace pganalytics::server::auth
