// What a JWT must look like before its signature is worth looking at.
//
// Here: splitting, strict base64url, JSON with duplicate keys refused, and the header's few allowed members. The algorithm and
// the key are ours to choose and never the token's: a header that tries (another "alg", "jwk", "jku", "x5c"...) is refused here.
// Not here: signatures and claims (access_token.cpp). Pure. [any thread]
#pragma once

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::server::auth {

constexpr std::size_t kTokenMaxBytes = 2048;
// libjwt 1.10 writes this and takes nothing else, so RFC 9068's "at+jwt" cannot be had; this key signs access tokens only.
constexpr std::string_view kTokenType = "JWT";

// The kid of a token whose header is well-formed: which key to look for. PGA_E_DENIED otherwise.
Expected<std::string> key_id_of(std::string_view token);

// The payload of a token whose form and header are those of ours with `key_id`. It is not authentic yet. PGA_E_DENIED otherwise.
Expected<rapidjson::Document> unverified_payload(std::string_view token, std::string_view key_id);

// Why a token was refused: for the log, never for its bearer.
Error token_refused(std::string_view why);

}  // namespace pganalytics::server::auth
