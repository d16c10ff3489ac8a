// Enrolment: a one-use registration token and a CA pin become an identity. The key is made here and never leaves.
//
// [main thread] Blocking, one HTTPS call (plus one TLS handshake to check the pin). The server's CA is trusted only
// if the SHA-256 of its public key info equals the pin; there is no way around it.
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
};

struct Enrolment {
  Identity identity;
  std::string expires_at;  // of the first access token, RFC 3339
};

// Idempotent: the enrolment id and key are written before the call, so a retry after a lost answer gets the same identity.
Expected<Enrolment> enrol(const EnrolmentRequest& request);

}  // namespace pganalytics::transport
