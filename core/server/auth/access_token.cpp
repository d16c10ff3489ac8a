#include "core/server/auth/access_token.h"

#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/log/log.h"
#include "core/server/auth/signing_keys.h"
#include "core/server/auth/token_shape.h"
#include "core/server/auth/verified_tokens.h"

#include <jwt.h>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <pganalytics/json.hpp>

namespace pganalytics::server::auth {
namespace {

constexpr char kIssuer[] = "pganalytics-server";
constexpr char kAudience[] = "pganalytics";
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kLifeSeconds = 15 * 60;
// For clocks of servers that differ: what is too early is another server's new token, what is too late only gets older.
constexpr std::int64_t kEarlySeconds = 60, kLateSeconds = 30;
constexpr std::int64_t kLookAgainNs = kSecond;  // tokens with made-up key ids do not make us look more often

using Jwt = std::unique_ptr<jwt_t, crypto::FreeWith<jwt_free>>;
using Text = std::unique_ptr<char, crypto::FreeWith<std::free>>;

// `text` stays 0-terminated: libjwt wants the key's length and hands it to OpenSSL as it is.
const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.c_str()); }

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

Expected<VerifiedClaims> read_claims(const rapidjson::Document& payload) {
  if (string_of(payload, "iss") != kIssuer) return token_refused("iss is not this server");
  if (string_of(payload, "aud") != kAudience) return token_refused("aud is not this server");
  const auto subject = string_of(payload, "sub");
  if (!subject || subject->empty()) return token_refused("no sub");
  const auto expires = seconds_of(payload, "exp");
  const auto not_before = seconds_of(payload, "nbf");
  if (!expires || !not_before) return token_refused("no exp or no nbf");
  const auto binding = payload.FindMember("cnf");
  if (binding == payload.MemberEnd() || !binding->value.IsObject()) return token_refused("no cnf");
  const auto thumbprint = string_of(binding->value, "x5t#S256");
  if (!thumbprint || thumbprint->empty()) return token_refused("not bound to a certificate");
  return VerifiedClaims{{*subject, *thumbprint, *expires * kSecond}, *not_before, *expires};
}

Expected<AccessClaims> in_force(const VerifiedClaims& verified, std::int64_t now_seconds) {
  if (now_seconds >= verified.expires_s + kLateSeconds) return token_refused("expired");
  if (now_seconds < verified.not_before_s - kEarlySeconds) return token_refused("not valid yet");
  return verified.claims;
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
  using Keys = std::shared_ptr<const SigningKeys>;

  Impl(std::string data_dir, const clock::Clock& clock) : data_dir_(std::move(data_dir)), clock_(clock) {}

  // The stamp is taken before the files are read: what is written between the two is seen by the next look.
  Outcome load(Expected<SigningKeys> (*read)(const std::string&)) {
    std::string stamp = stamp_of_signing_keys(data_dir_);
    PGA_TRY(SigningKeys keys, read(data_dir_));
    const std::lock_guard lock(mutex_);
    keys_ = std::make_shared<const SigningKeys>(std::move(keys));
    verified_.clear();
    stamp_ = std::move(stamp);
    return {};
  }

  Expected<bool> refresh() {
    {
      const std::lock_guard lock(mutex_);
      if (stamp_ == stamp_of_signing_keys(data_dir_)) return false;
    }
    PGA_CHECK(load(read_signing_keys));
    return true;
  }

  [[nodiscard]] Keys keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

  // The keys that have `key_id`, looked up anew if another process may have brought it; nullptr if nobody has.
  Keys keys_with(const std::string& key_id) {
    Keys known = keys();
    if (known->find(key_id) != nullptr) return known;
    if (!may_look_again()) return nullptr;
    if (const auto changed = refresh(); !changed) log::write(log::Level::kError, "read the signing keys", changed.error());
    known = keys();
    return known->find(key_id) != nullptr ? known : nullptr;
  }

  [[nodiscard]] std::optional<VerifiedClaims> verified(const std::string& digest) const {
    const std::lock_guard lock(mutex_);
    return verified_.find(digest);
  }

  // Unless other keys came into use meanwhile: the token may be of one that was dropped.
  void remember(const Keys& verified_with, const std::string& digest, const VerifiedClaims& claims) {
    const std::lock_guard lock(mutex_);
    if (verified_with == keys_) verified_.add(digest, claims, clock_.unix_ns() / kSecond);
  }

  [[nodiscard]] const std::string& data_dir() const { return data_dir_; }
  [[nodiscard]] std::int64_t now_ns() const { return clock_.unix_ns(); }

 private:
  bool may_look_again() {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.monotonic_ns();
    if (looked_ && now < looked_at_monotonic_ns_ + kLookAgainNs) return false;
    looked_ = true;
    looked_at_monotonic_ns_ = now;
    return true;
  }

  const std::string data_dir_;
  const clock::Clock& clock_;
  mutable std::mutex mutex_;
  Keys keys_;
  VerifiedTokens verified_;  // with these keys
  std::string stamp_;
  bool looked_ = false;
  std::int64_t looked_at_monotonic_ns_ = 0;
};

TokenSigner::TokenSigner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenSigner::~TokenSigner() = default;

Expected<std::unique_ptr<TokenSigner>> TokenSigner::open(const std::string& data_dir, const clock::Clock& clock) {
  auto impl = std::make_unique<Impl>(data_dir, clock);
  PGA_CHECK(impl->load(open_signing_keys));
  return std::unique_ptr<TokenSigner>(new TokenSigner(std::move(impl)));
}

Expected<bool> TokenSigner::refresh() const { return impl_->refresh(); }
std::string TokenSigner::key_id() const { return impl_->keys()->current.id; }

Expected<bool> TokenSigner::rotate_if_older_than(std::int64_t life_ms) const {
  if (impl_->now_ns() / 1'000'000 - impl_->keys()->current_since_unix_ns / 1'000'000 < life_ms) return false;
  const auto rotated = rotate_signing_keys(impl_->data_dir(), PreviousKey::kKeep, impl_->now_ns());
  // Another server of this folder was first.
  if (!rotated && rotated.error().code != "auth.signing_key_fresh") return rotated.error();
  PGA_CHECK(impl_->refresh());
  return static_cast<bool>(rotated);
}

Expected<TokenSigner::Issued> TokenSigner::issue(const std::string& collector_id, const std::string& thumbprint) const {
  const std::int64_t now = impl_->now_ns() / kSecond;
  const auto keys = impl_->keys();
  jwt_t* raw = nullptr;
  const bool made = jwt_new(&raw) == 0;
  const Jwt jwt(raw);
  const std::string& key = keys->current.private_pem;
  // GCOVR_EXCL_BR_START: only without memory: the key was read, and is what this algorithm takes
  const bool filled = made && jwt_set_alg(jwt.get(), JWT_ALG_ES256, bytes_of(key), static_cast<int>(key.size())) == 0 &&
                      jwt_add_header(jwt.get(), "kid", keys->current.id.c_str()) == 0 &&
                      jwt_add_grants_json(jwt.get(), claims_json(collector_id, thumbprint, now).c_str()) == 0;
  const Text text(filled ? jwt_encode_str(jwt.get()) : nullptr);
  if (!text) return Error{PGA_E_FAIL, "auth.sign", "cannot sign an access token for collector " + collector_id, "", 0};
  // GCOVR_EXCL_BR_STOP
  return Issued{text.get(), (now + kLifeSeconds) * kSecond};
}

namespace {

// By the key that its header names, which is one of `keys`.
Expected<VerifiedClaims> verify_signature(std::string_view token, const std::string& key_id, const SigningKeys& keys) {
  PGA_TRY(const rapidjson::Document payload, unverified_payload(token, key_id));
  const std::string text(token);
  const std::string& key = keys.find(key_id)->public_pem;
  jwt_t* raw = nullptr;
  const int refused = jwt_decode(&raw, text.c_str(), bytes_of(key), static_cast<int>(key.size()));
  const Jwt jwt(raw);
  // The header was checked by us; that libjwt read the same one is checked again.
  if (refused != 0 || !jwt || jwt_get_alg(jwt.get()) != JWT_ALG_ES256) {
    static_cast<void>(crypto::openssl_reason());
    return token_refused("signature is not ours");
  }
  return read_claims(payload);
}

}  // namespace

Expected<AccessClaims> TokenSigner::verify(std::string_view token) const {
  const std::string digest = VerifiedTokens::digest_of(token);
  std::optional<VerifiedClaims> verified = impl_->verified(digest);
  if (!verified) {
    PGA_TRY(const std::string key_id, key_id_of(token));
    const auto keys = impl_->keys_with(key_id);
    if (!keys) return token_refused("kid is not ours");
    PGA_TRY(verified, verify_signature(token, key_id, *keys));
    impl_->remember(keys, digest, *verified);
  }
  return in_force(*verified, impl_->now_ns() / kSecond);
}

}  // namespace pganalytics::server::auth
