// Private keys as files under data_dir: PEM, 0600, made when missing. The caller holds the folder's FileLock. [any thread]
#pragma once

#include "core/crypto/keys.h"

#include <chrono>
#include <string>

namespace pganalytics::server::auth {

constexpr std::chrono::seconds kKeyLockPatience{30};
std::string key_lock_path(const std::string& data_dir);

// PGA_E_NOTFOUND if there is no such file; PGA_E_DENIED if others may read it or put another in its place.
Expected<crypto::Key> read_key_file(const std::string& path);
Expected<crypto::Key> read_or_make_key_file(const std::string& path);
Outcome write_key_file(const std::string& path, EVP_PKEY* key);

}  // namespace pganalytics::server::auth
