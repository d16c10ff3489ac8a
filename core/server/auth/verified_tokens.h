// Tokens whose signature was found good, by their digest, so that a collector's next push does not have it computed again.
//
// Says nothing of time: whoever asks looks at the claims' own. Bounded: when full, the expired go, and if none is, all do. A
// token is here as long as the keys it was verified with are in use. Not thread-safe.
#pragma once

#include "core/crypto/digest.h"
#include "core/server/auth/access_token.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pganalytics::server::auth {

struct VerifiedClaims {
  AccessClaims claims;
  std::int64_t not_before_s = 0, expires_s = 0;  // Unix time
};

class VerifiedTokens {
 public:
  explicit VerifiedTokens(std::size_t most = 20'000) : most_(most) {}

  // Digests, not tokens: who reads this memory cannot push with it, and comparing them tells nothing about a token.
  static std::string digest_of(std::string_view token) { return crypto::sha256(token); }

  [[nodiscard]] std::optional<VerifiedClaims> find(const std::string& digest) const;
  void add(const std::string& digest, const VerifiedClaims& claims, std::int64_t now_s);
  void clear() { known_.clear(); }
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  const std::size_t most_;
  std::unordered_map<std::string, VerifiedClaims> known_;
};

}  // namespace pganalytics::server::auth
