// Secrets that people carry: registration tokens ("pge_...") and API keys ("pga_..."): random, checksummed, stored only as
// SHA-256.
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::auth {

std::string new_registration_token();  // 160 random bits
std::string new_api_key();
std::string sha256_hex(std::string_view secret);

}  // namespace pganalytics::server::auth
