// Dates of certificates in the clock's unit. [any thread]
#pragma once

#include <openssl/asn1.h>

#include <cstdint>
#include <optional>

namespace pganalytics::crypto {

// Unix time in ns; nullopt: unreadable. A date beyond 2262, where 64-bit ns end, is the last second before that: RFC 5280 has
// 9999-12-31 for "no end".
std::optional<std::int64_t> unix_ns_of(const ASN1_TIME* date);

}  // namespace pganalytics::crypto
