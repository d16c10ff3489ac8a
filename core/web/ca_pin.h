// The CA pin: "sha256:<hex>" of a CA's public key info, which an operator carries from the server to `register`.
//
// Here: reading a pin and finding the CA it names in the chain that a server sent. Not here: the handshake (http_client.h).
// [any thread]
#pragma once

#include <openssl/x509.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::web {

// "sha256:" and 64 hex digits of either case -> 64 lower-case digits. PGA_E_CONFIG otherwise.
Expected<std::string> parse_ca_pin(std::string_view text);

// A self-signed CA certificate whose public key has this hash.
bool is_pinned_ca(X509* certificate, const std::string& pin_hex);

// The pinned CA in `chain` (borrowed from it), nullptr if it is not there.
X509* find_pinned_ca(const STACK_OF(X509) * chain, const std::string& pin_hex);

}  // namespace pganalytics::web
