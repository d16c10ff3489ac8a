#include "core/server/auth/verified_tokens.h"

#include <iterator>

namespace pganalytics::server::auth {

std::optional<VerifiedClaims> VerifiedTokens::find(const std::string& digest) const {
  const auto found = known_.find(digest);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void VerifiedTokens::add(const std::string& digest, const VerifiedClaims& claims, std::int64_t now_s) {
  if (known_.size() >= most_) {
    for (auto known = known_.begin(); known != known_.end();) {
      known = known->second.expires_s <= now_s ? known_.erase(known) : std::next(known);
    }
    if (known_.size() >= most_) known_.clear();
  }
  known_[digest] = claims;
}

}  // namespace pganalytics::server::auth
