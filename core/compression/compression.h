// Bytes squeezed and expanded: zstd and gzip (RFC 8878, RFC 1952), with limits on what may come out.
//
// Here: whole buffers. Not here: choosing (core/config), HTTP headers (core/transport, core/server). [any thread]
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::compression {

enum class Encoding { kIdentity, kGzip, kZstd };

// HTTP's token for it: "identity", "gzip", "zstd".
std::string_view content_encoding(Encoding encoding);
// The other way round; "" and "identity" are kIdentity. PGA_E_UNSUPPORTED for anything else.
Expected<Encoding> parse_content_encoding(std::string_view token);

Expected<std::string> compress(Encoding encoding, std::string_view plain);

// PGA_E_LIMIT as soon as the output would exceed max_bytes (the input may be a bomb: never more than max_bytes is allocated
// for it), PGA_E_FAIL if it is damaged, cut short, or followed by other bytes.
Expected<std::string> expand(Encoding encoding, std::string_view squeezed, std::size_t max_bytes);

// How much it expands to, as its own header or trailer says, without expanding it: for bytes that we have compressed ourselves.
// nullopt: it does not say.
std::optional<std::uint64_t> expanded_bytes(Encoding encoding, std::string_view squeezed);

}  // namespace pganalytics::compression
