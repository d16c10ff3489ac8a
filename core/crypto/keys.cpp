#include "core/crypto/keys.h"

#include "core/crypto/digest.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace pganalytics::crypto {
namespace {

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

// No PEM of ours comes near this; a longer one is not a key but an attack on memory.
constexpr std::size_t kPemBytesMax = 64 * 1024;

Error failed(const std::string& what) { return Error{PGA_E_FAIL, "crypto", what + ": " + openssl_reason(), "", 0}; }

Expected<Bio> read_bio(std::string_view pem, const std::string& what) {
  if (pem.size() > kPemBytesMax) return Error{PGA_E_LIMIT, "crypto.size", what + ": more than 64 KiB", "", 0};
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(length)};
}

// Keys here have no passphrase: without this, OpenSSL would ask for one on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string der_of_public_key(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  if (length <= 0) return {};
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(length));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

Expected<Key> make_p256_key() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("making a P-256 key");
  return key;
}

Expected<std::string> to_pem(EVP_PKEY* private_key) {
  Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), private_key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("writing a key");
  return content_of(bio.get());
}

Expected<Key> parse_private_key(std::string_view pem) {
  PGA_TRY(const Bio bio, read_bio(pem, "private key"));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return failed("private key is not readable PEM");
  return key;
}

Expected<std::string> make_csr(EVP_PKEY* key, const std::string& common_name) {
  Request request(X509_REQ_new());
  X509_NAME* name = X509_REQ_get_subject_name(request.get());
  // X.520 allows 64 characters in a common name; the server ignores it anyway.
  const std::string text = common_name.substr(0, 64);
  const bool built = X509_REQ_set_version(request.get(), 0) == 1 &&
                     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                                static_cast<int>(text.size()), -1, 0) == 1 &&
                     X509_REQ_set_pubkey(request.get(), key) == 1 &&
                     X509_REQ_sign(request.get(), key, EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256()) > 0;
  if (!built) return failed("making a certificate request");
  Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) return failed("writing a certificate request");
  return content_of(bio.get());
}

Expected<Request> parse_csr(std::string_view pem) {
  PGA_TRY(const Bio bio, read_bio(pem, "certificate request"));
  Request request(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr));
  if (!request) return failed("certificate request is not readable PEM");
  return request;
}

Expected<Certificate> parse_certificate(std::string_view pem) {
  PGA_TRY(const Bio bio, read_bio(pem, "certificate"));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return failed("certificate is not readable PEM");
  return certificate;
}

Expected<std::vector<Certificate>> parse_certificates(std::string_view pem, std::size_t count_max) {
  PGA_TRY(const Bio bio, read_bio(pem, "certificates"));
  std::vector<Certificate> found;
  while (Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (found.size() == count_max) {
      return Error{PGA_E_LIMIT, "crypto.count", "more than " + std::to_string(count_max) + " certificates", "", 0};
    }
    found.push_back(std::move(certificate));
  }
  // Nothing more to read is how it ends well.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || found.empty()) {
    return failed("certificates are not readable PEM");
  }
  ERR_clear_error();
  return found;
}

Expected<std::string> to_pem(X509* certificate) {
  Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) return failed("writing a certificate");
  return content_of(bio.get());
}

std::string public_key_sha256(EVP_PKEY* key) { return sha256_hex(der_of_public_key(key)); }

std::string certificate_thumbprint(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return {};
  std::string thumbprint = base64url(sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(length)}));
  OPENSSL_free(der);
  return thumbprint;
}

}  // namespace pganalytics::crypto
