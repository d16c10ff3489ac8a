#include "core/server/auth/key_file.h"

#include "core/files/files.h"

namespace pganalytics::server::auth {

std::string key_lock_path(const std::string& data_dir) { return data_dir + "/auth.lock"; }

Expected<crypto::Key> read_key_file(const std::string& path) {
  PGA_CHECK(files::check_private_place(path));
  PGA_TRY(const std::string pem, files::read(path));
  auto key = crypto::parse_private_key(pem);
  if (!key) return std::move(key).error().while_doing("reading " + path);
  return key;
}

Expected<crypto::Key> read_or_make_key_file(const std::string& path) {
  auto found = read_key_file(path);
  if (found || found.error().status != PGA_E_NOTFOUND) return found;
  PGA_TRY(crypto::Key key, crypto::make_p256_key());
  PGA_CHECK(write_key_file(path, key.get()));
  return key;
}

Outcome write_key_file(const std::string& path, EVP_PKEY* key) {
  PGA_TRY(const std::string pem, crypto::to_pem(key));
  return files::write_atomically(path, pem, 0600);
}

}  // namespace pganalytics::server::auth
