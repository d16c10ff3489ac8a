// Digests, encodings and random bytes, over OpenSSL 3. [any thread]
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::crypto {

std::string sha256(std::string_view bytes);      // 32 raw bytes
std::string sha256_hex(std::string_view bytes);  // 64 lower-case hex digits
std::string hex(std::string_view bytes);
std::string base64url(std::string_view bytes);  // RFC 4648 section 5, without padding
std::optional<std::string> parse_base64url(std::string_view text);
std::string random_bytes(std::size_t count);  // from the CSPRNG; ends the process if there is none
std::string uuid_v4();                        // RFC 9562, lower case
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace pganalytics::crypto
