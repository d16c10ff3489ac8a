// Enrolment: a one-use registration token and a CA pin become an identity. The key is made here and never leaves.
//
// [main thread] Blocking, one HTTPS call. A CA from the server's own chain is trusted only if the SHA-256 of its public key info
// equals the pin, and the handshake is verified against that CA in full, before the token is sent; there is no way around it.
#pragma once

#include "core/transport/identity.h"

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct EnrolmentRequest {
  std::string backend_url;  // https://host:port
  std::string token;        // registration token
  std::string ca_pin;       // "sha256:<hex>"; may be empty only if ca_file is given
  std::string ca_file;      // operator's CA bundle; empty = trust by pin
  std::string name;         // collector's name
  std::string hostname;
  std::string state_dir;
  std::string proxy;       // as BackendOptions::proxy
  std::string user_agent;  // "pganalytics/0.1.0"
};

struct Enrolment {
  Identity identity;
  std::string expires_at;  // of the first access token, RFC 3339
};

// Idempotent: the enrolment id and key are written before the call, so a retry after a lost answer gets the same identity.
// error.code "http.pin" (wrong pin, nothing was sent), "http.401" (token refused), "identity.exists" (registered already, by
// another token); the same registration repeated after success returns the identity without asking the server.
Expected<Enrolment> enrol(const EnrolmentRequest& request);

}  // namespace pganalytics::transport
