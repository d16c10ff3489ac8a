#include "core/server/auth/signing_keys.h"

#include "core/files/file_lock.h"
#include "core/files/files.h"
#include "core/server/auth/key_file.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <sys/stat.h>

namespace pganalytics::server::auth {
namespace {

constexpr std::size_t kIdLetters = 16;

std::string current_file(const std::string& data_dir) { return data_dir + "/jwt.key"; }
std::string previous_file(const std::string& data_dir) { return data_dir + "/jwt.previous.key"; }

Expected<std::string> public_pem(EVP_PKEY* key, const std::string& path) {
  const std::unique_ptr<BIO, crypto::FreeWith<BIO_free_all>> memory(BIO_new(BIO_s_mem()));
  if (!memory || PEM_write_bio_PUBKEY(memory.get(), key) != 1) {  // GCOVR_EXCL_START: only without memory
    return Error{PGA_E_FAIL, "auth.openssl", "cannot write the public key of " + path + ": " + crypto::openssl_reason(), "", 0};
  }  // GCOVR_EXCL_STOP
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Expected<SigningKey> describe(EVP_PKEY* key, const std::string& path) {
  char group[64] = "";
  if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 || std::string_view(group) != "prime256v1") {
    return Error{PGA_E_CONFIG, "auth.jwt_key", path + " is not a P-256 key",
                 "Remove it: the server makes another, and collectors fetch new tokens by themselves.", 0};
  }
  SigningKey described;
  PGA_TRY(described.private_pem, crypto::to_pem(key));
  PGA_TRY(described.public_pem, public_pem(key, path));
  described.id = crypto::public_key_sha256(key).substr(0, kIdLetters);
  return described;
}

Expected<SigningKey> read_key(const std::string& path) {
  PGA_TRY(const crypto::Key key, read_key_file(path));
  return describe(key.get(), path);
}

std::int64_t written_at_unix_ns(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;  // GCOVR_EXCL_BR_LINE: removed since it was read
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

Expected<SigningKeys> open_locked(const std::string& data_dir) {
  PGA_CHECK(read_or_make_key_file(current_file(data_dir)));
  return read_signing_keys(data_dir);
}

}  // namespace

const SigningKey* SigningKeys::find(std::string_view key_id) const {
  if (current.id == key_id) return &current;
  return previous && previous->id == key_id ? &*previous : nullptr;
}

// The current key first: a rotation keeps it as the previous one before it writes the new one, so whatever happens between the
// two reads, no key that signs is missed.
Expected<SigningKeys> read_signing_keys(const std::string& data_dir) {
  SigningKeys keys;
  PGA_TRY(keys.current, read_key(current_file(data_dir)));
  keys.current_since_unix_ns = written_at_unix_ns(current_file(data_dir));
  auto previous = read_key(previous_file(data_dir));
  if (previous) {
    keys.previous = std::move(previous).value();
  } else if (previous.error().status != PGA_E_NOTFOUND) {
    return std::move(previous).error();
  }
  return keys;
}

Expected<SigningKeys> open_signing_keys(const std::string& data_dir) {
  PGA_CHECK(files::make_directories(data_dir, 0700));
  PGA_TRY(const files::FileLock lock, files::FileLock::take(key_lock_path(data_dir), kKeyLockPatience));
  return open_locked(data_dir);
}

std::string stamp_of_signing_keys(const std::string& data_dir) {
  return files::stamp_of(current_file(data_dir)) + "/" + files::stamp_of(previous_file(data_dir));
}

Expected<std::string> rotate_signing_keys(const std::string& data_dir, PreviousKey previous, std::int64_t now_unix_ns) {
  PGA_CHECK(files::make_directories(data_dir, 0700));
  PGA_TRY(const files::FileLock lock, files::FileLock::take(key_lock_path(data_dir), kKeyLockPatience));
  PGA_TRY(const SigningKeys keys, open_locked(data_dir));
  if (previous == PreviousKey::kKeep && keys.previous && now_unix_ns < keys.current_since_unix_ns + kSigningOverlapNs) {
    return Error{PGA_E_CONFIG, "auth.signing_key_fresh",
                 "the signing key was rotated less than 16 minutes ago: tokens of the one before are still in use",
                 "Wait for a quarter of an hour; or add --drop-previous, which ends every token in the field at once.", 0};
  }
  PGA_TRY(const crypto::Key fresh, crypto::make_p256_key());
  if (previous == PreviousKey::kKeep) {
    PGA_CHECK(files::write_atomically(previous_file(data_dir), keys.current.private_pem, 0600));
  }
  PGA_CHECK(write_key_file(current_file(data_dir), fresh.get()));
  if (previous == PreviousKey::kDrop) PGA_CHECK(files::remove(previous_file(data_dir)));
  return crypto::public_key_sha256(fresh.get()).substr(0, kIdLetters);
}

}  // namespace pganalytics::server::auth
