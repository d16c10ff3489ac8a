// The keys that sign access tokens, as files under data_dir, and their rotation.
//
//   jwt.key (0600): signs   jwt.previous.key (0600): what it signed before the last rotation is still good
//
// Every process that shares the folder follows: it looks at the files' stamps, and at once when a token names a key that it does
// not know. Here: the files. Not here: tokens (access_token.h). [any thread; writers take the folder's lock]
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::auth {

struct SigningKey {
  std::string id;  // kid: follows from the key, so servers that share the file share it
  std::string private_pem, public_pem;
};

struct SigningKeys {
  SigningKey current;
  std::optional<SigningKey> previous;
  std::int64_t current_since_unix_ns = 0;  // when its file was written

  [[nodiscard]] const SigningKey* find(std::string_view key_id) const;  // nullptr: none of ours
};

// Tokens live for so long, leeway included: a key that was replaced is needed no longer.
constexpr std::int64_t kSigningOverlapNs = 16LL * 60 * 1'000'000'000;

// Makes jwt.key if there is none. PGA_E_CONFIG if a file is not a P-256 key, PGA_E_DENIED if others may read or replace it.
Expected<SigningKeys> open_signing_keys(const std::string& data_dir);
// The same for a folder that has one.
Expected<SigningKeys> read_signing_keys(const std::string& data_dir);
// Changes whenever one of the files is written, made or removed.
std::string stamp_of_signing_keys(const std::string& data_dir);

enum class PreviousKey {
  kKeep,  // tokens in the field stay good until they are over
  kDrop,  // every token ends now; collectors fetch new ones by themselves
};
// A new jwt.key. PGA_E_CONFIG ("auth.signing_key_fresh") if the key before the current one may still be in use and is to be kept.
// Returns the new key's id.
Expected<std::string> rotate_signing_keys(const std::string& data_dir, PreviousKey previous, std::int64_t now_unix_ns);

}  // namespace pganalytics::server::auth
