// Secrets that people carry: registration tokens ("pge_...") and API keys ("pga_..."): random, checksummed, stored only as
// SHA-256.
//
//   pge_ | 32 letters of base32: 160 random bits | 6 letters: 30 bits of SHA-256 over what stands before
//
// The prefix lets secret scanners find one that leaked; the checksum lets the server refuse a mistyped one without asking the
// database. [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::auth {

std::string new_registration_token();
std::string new_api_key();

// True if `text` has the form and checksum of one of ours. Says nothing about whether it is in force.
bool is_registration_token(std::string_view text);
bool is_api_key(std::string_view text);

std::string sha256_hex(std::string_view secret);

}  // namespace pganalytics::server::auth
