// Access tokens: ES256 JWTs of 15 minutes, bound to a client certificate (RFC 7519, RFC 8705). libjwt does the JOSE work.
//
// One algorithm, pinned here, never taken from the token. Unknown kid, other alg, "crit", more than 2 KiB: refused before the
// signature is looked at (token_shape.h). Thread-safe.
#pragma once

#include "core/clock/clock.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::auth {

struct AccessClaims {
  std::string collector_id;            // sub
  std::string certificate_thumbprint;  // cnf.x5t#S256
  std::int64_t expires_unix_ns = 0;
};

class TokenSigner {
 public:
  // Loads or makes the keys of data_dir (signing_keys.h). `clock` outlives the signer.
  static Expected<std::unique_ptr<TokenSigner>> open(const std::string& data_dir,
                                                     const clock::Clock& clock = clock::system_clock());
  ~TokenSigner();

  struct Issued {
    std::string token;
    std::int64_t expires_unix_ns = 0;
  };
  Expected<Issued> issue(const std::string& collector_id, const std::string& certificate_thumbprint) const;
  // PGA_E_DENIED for anything but a token of ours that is in force (leeway: 60 s before its time, 30 s after). Says why in
  // error.message, for the log only.
  Expected<AccessClaims> verify(std::string_view token) const;

  // Follow the key files: another process may have rotated them. What cannot be read leaves the keys as they are. True if they
  // changed.
  Expected<bool> refresh() const;
  // Rotate when the current key is older than this. True if it was.
  Expected<bool> rotate_if_older_than(std::int64_t life_ms) const;
  [[nodiscard]] std::string key_id() const;  // of the key that signs now

 private:
  class Impl;
  explicit TokenSigner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::auth
