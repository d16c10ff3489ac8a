#include "core/server/auth/access_token.h"

#include "core/crypto/digest.h"
#include "core/files/file_lock.h"
#include "core/files/files.h"
#include "core/server/auth/key_file.h"
#include "core/server/auth/token_shape.h"

#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <optional>
#include <pganalytics/json.hpp>

namespace pganalytics::server::auth {
namespace {

constexpr char kIssuer[] = "pganalytics-server";
constexpr char kAudience[] = "pganalytics";
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLifeSeconds = 15 * 60;
constexpr std::int64_t kLeewaySeconds = 30;

using Jwt = std::unique_ptr<jwt_t, crypto::FreeWith<jwt_free>>;
using Text = std::unique_ptr<char, crypto::FreeWith<std::free>>;

// `text` stays 0-terminated: libjwt wants the key's length and hands it to OpenSSL as it is.
const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.c_str()); }

Expected<std::string> public_pem(EVP_PKEY* key) {
  const std::unique_ptr<BIO, crypto::FreeWith<BIO_free_all>> memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_PUBKEY(memory.get(), key) != 1) {
    return Error{PGA_E_FAIL, "auth.openssl", "cannot write the public key of jwt.key: " + crypto::openssl_reason(), "", 0};
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::optional<std::string> string_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return std::nullopt;
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

std::optional<std::int64_t> seconds_of(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  // Bounded so that leeway and nanoseconds cannot overflow.
  if (member == object.MemberEnd() || !member->value.IsInt64()) return std::nullopt;
  const std::int64_t seconds = member->value.GetInt64();
  if (seconds < 0 || seconds > 253'402'300'799) return std::nullopt;  // year 9999
  return seconds;
}

Expected<AccessClaims> check_claims(const rapidjson::Document& payload, std::int64_t now_seconds) {
  if (string_of(payload, "iss") != kIssuer) return token_refused("iss is not this server");
  if (string_of(payload, "aud") != kAudience) return token_refused("aud is not this server");
  const auto subject = string_of(payload, "sub");
  if (!subject || subject->empty()) return token_refused("no sub");
  const auto expires = seconds_of(payload, "exp");
  const auto not_before = seconds_of(payload, "nbf");
  if (!expires || !not_before) return token_refused("no exp or no nbf");
  if (now_seconds >= *expires + kLeewaySeconds) return token_refused("expired");
  if (now_seconds < *not_before - kLeewaySeconds) return token_refused("not valid yet");
  const auto binding = payload.FindMember("cnf");
  if (binding == payload.MemberEnd() || !binding->value.IsObject()) return token_refused("no cnf");
  const auto thumbprint = string_of(binding->value, "x5t#S256");
  if (!thumbprint || thumbprint->empty()) return token_refused("not bound to a certificate");
  return AccessClaims{*subject, *thumbprint, *expires * kSecond};
}

std::string claims_json(const std::string& collector_id, const std::string& thumbprint, std::int64_t now_seconds) {
  JsonWriter json;
  json.begin_object().member("iss", kIssuer).member("aud", kAudience).member("sub", collector_id);
  json.member("iat", now_seconds).member("nbf", now_seconds).member("exp", now_seconds + kLifeSeconds);
  json.member("jti", crypto::uuid_v4());
  json.key("cnf").begin_object().member("x5t#S256", thumbprint).end_object().end_object();
  return std::string(json.text());
}

}  // namespace

class TokenSigner::Impl {
 public:
  std::string private_pem, public_pem, key_id;
  const clock::Clock* clock = nullptr;
};

TokenSigner::TokenSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenSigner::~TokenSigner() = default;

Expected<std::unique_ptr<TokenSigner>> TokenSigner::open(const std::string& data_dir, const clock::Clock& clock) {
  PGA_CHECK(files::make_directories(data_dir, 0700));
  PGA_TRY(const files::FileLock lock, files::FileLock::take(key_lock_path(data_dir), kKeyLockPatience));
  PGA_TRY(const crypto::Key key, read_or_make_key_file(data_dir + "/jwt.key"));
  char group[64] = "";
  if (EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 || std::string_view(group) != "prime256v1") {
    return Error{PGA_E_CONFIG, "auth.jwt_key", data_dir + "/jwt.key is not a P-256 key",
                 "Remove it: the server makes another, and collectors fetch new tokens by themselves.", 0};
  }
  auto impl = std::make_unique<Impl>();
  PGA_TRY(impl->private_pem, crypto::to_pem(key.get()));
  PGA_TRY(impl->public_pem, public_pem(key.get()));
  impl->key_id = crypto::public_key_sha256(key.get()).substr(0, 16);
  impl->clock = &clock;
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(impl)));
}

Expected<TokenSigner::Issued> TokenSigner::issue(const std::string& collector_id, const std::string& thumbprint) const {
  const std::int64_t now = impl_->clock->unix_ns() / kSecond;
  jwt_t* raw = nullptr;
  const bool made = jwt_new(&raw) == 0;
  const Jwt jwt(raw);
  const std::string& key = impl_->private_pem;
  const bool filled = made && jwt_set_alg(jwt.get(), JWT_ALG_ES256, bytes_of(key), static_cast<int>(key.size())) == 0 &&
                      jwt_add_header(jwt.get(), "kid", impl_->key_id.c_str()) == 0 &&
                      jwt_add_grants_json(jwt.get(), claims_json(collector_id, thumbprint, now).c_str()) == 0;
  const Text text(filled ? jwt_encode_str(jwt.get()) : nullptr);
  if (!text) return Error{PGA_E_FAIL, "auth.sign", "cannot sign an access token for collector " + collector_id, "", 0};
  return Issued{text.get(), (now + kLifeSeconds) * kSecond};
}

Expected<AccessClaims> TokenSigner::verify(std::string_view token) const {
  PGA_TRY(const rapidjson::Document payload, unverified_payload(token, impl_->key_id));
  const std::string text(token);
  const std::string& key = impl_->public_pem;
  jwt_t* raw = nullptr;
  const int refused = jwt_decode(&raw, text.c_str(), bytes_of(key), static_cast<int>(key.size()));
  const Jwt jwt(raw);
  // The header was checked by us; that libjwt read the same one is checked again.
  if (refused != 0 || !jwt || jwt_get_alg(jwt.get()) != JWT_ALG_ES256) {
    static_cast<void>(crypto::openssl_reason());
    return token_refused("signature is not ours");
  }
  return check_claims(payload, impl_->clock->unix_ns() / kSecond);
}

}  // namespace pganalytics::server::auth
