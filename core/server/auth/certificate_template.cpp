#include "core/server/auth/certificate_template.h"

#include "core/crypto/certificate_time.h"
#include "core/crypto/digest.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <vector>

namespace pganalytics::server::auth {
namespace {

using crypto::FreeWith;
using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kYear = 365 * 24 * 60 * kMinute;
constexpr std::size_t kCommonNameMax = 64;  // ub-common-name, RFC 5280

Error openssl_error(const std::string& doing) {
  return Error{PGA_E_FAIL, "auth.openssl", doing + ": " + crypto::openssl_reason(), "", 0};
}

// What is left out of the coverage as "memory" fails only when there is none left.

// 16 random bytes with the top bit clear: positive, at most 20 octets (RFC 5280), unguessable.
bool set_random_serial(X509* certificate) {
  std::string bytes = crypto::random_bytes(16);
  bytes[0] = static_cast<char>((static_cast<unsigned char>(bytes[0]) & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));  // GCOVR_EXCL_BR_LINE: memory
}

bool set_validity(X509* certificate, std::int64_t from_unix_ns, std::int64_t to_unix_ns) {
  // GCOVR_EXCL_BR_START: memory; 64-bit nanoseconds end long before ASN.1's years
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from_unix_ns / kSecond) &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), to_unix_ns / kSecond);
  // GCOVR_EXCL_BR_STOP
}

bool set_common_name(X509_NAME* name, const std::string& text) {
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(std::min(text.size(), kCommonNameMax)), -1, 0) == 1;
}

// `value` is a constant of this file: OpenSSL's little configuration language never sees foreign text.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, const_cast<char*>(value)));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;  // GCOVR_EXCL_BR_LINE: memory
}

std::optional<std::string> address_bytes(const std::string& text) {
  unsigned char bytes[16];
  if (::inet_pton(AF_INET, text.c_str(), bytes) == 1) return std::string(reinterpret_cast<char*>(bytes), 4);
  if (::inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(reinterpret_cast<char*>(bytes), 16);
  return std::nullopt;
}

std::string address_text(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

bool append_name(GENERAL_NAMES* names, int type, std::string_view bytes) {
  std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>> name(GENERAL_NAME_new());
  ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  // GCOVR_EXCL_BR_START: memory
  if (!name || !value) return false;
  GENERAL_NAME_set0_value(name.get(), type, value);  // name owns value from here on
  if (!ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (!sk_GENERAL_NAME_push(names, name.get())) return false;
  // GCOVR_EXCL_BR_STOP
  static_cast<void>(name.release());
  return true;
}

bool add_names(X509* certificate, const Names& names) {
  // GCOVR_EXCL_BR_START: memory
  return names && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
  // GCOVR_EXCL_BR_STOP
}

// What every leaf shares. The names and the purpose make the difference.
Expected<crypto::Certificate> make_leaf(const Signer& ca, EVP_PKEY* public_key, const std::string& common_name,
                                        const Names& names, const char* purpose, std::int64_t from_unix_ns,
                                        std::int64_t to_unix_ns) {
  crypto::Certificate leaf(X509_new());
  // A leaf that outlives its CA would be refused by every verifier.
  const std::int64_t to = std::min(to_unix_ns, not_after_unix_ns(ca.certificate));
  // GCOVR_EXCL_BR_START: memory; beside that only the common name and the signature may fail
  const bool built =
      leaf && X509_set_version(leaf.get(), X509_VERSION_3) && set_random_serial(leaf.get()) &&
      set_validity(leaf.get(), from_unix_ns, to) && set_common_name(X509_get_subject_name(leaf.get()), common_name) &&
      X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca.certificate)) && X509_set_pubkey(leaf.get(), public_key) &&
      add_extension(leaf.get(), ca.certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(leaf.get(), ca.certificate, NID_key_usage, "critical,digitalSignature") &&
      add_extension(leaf.get(), ca.certificate, NID_ext_key_usage, purpose) && add_names(leaf.get(), names) &&
      add_extension(leaf.get(), ca.certificate, NID_subject_key_identifier, "hash") &&
      add_extension(leaf.get(), ca.certificate, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(leaf.get(), ca.key, EVP_sha256()) > 0;
  // GCOVR_EXCL_BR_STOP
  if (!built) return openssl_error("cannot make a certificate for " + common_name);
  return leaf;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Letters, digits, '-', '_' and '.', a wildcard as the first label only.
bool is_dns_name(std::string_view text) {
  if (text.substr(0, 2) == "*.") text.remove_prefix(2);
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-' || text.back() == '.') return false;
  return text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) || c == '-' || c == '_' || c == '.');
         });
}

}  // namespace

Expected<crypto::Certificate> make_ca_certificate(EVP_PKEY* key, std::int64_t now_unix_ns) {
  crypto::Certificate ca(X509_new());
  // GCOVR_EXCL_BR_START: memory; beside that only the signature may fail
  const bool built = ca && X509_set_version(ca.get(), X509_VERSION_3) && set_random_serial(ca.get()) &&
                     set_validity(ca.get(), now_unix_ns - kMinute, now_unix_ns + 10 * kYear) &&
                     set_common_name(X509_get_subject_name(ca.get()), "pgAnalytics CA") &&
                     X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) && X509_set_pubkey(ca.get(), key) &&
                     add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                     add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
                     add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash") &&
                     X509_sign(ca.get(), key, EVP_sha256()) > 0;
  // GCOVR_EXCL_BR_STOP
  if (!built) return openssl_error("cannot make the CA certificate");
  return ca;
}

Expected<crypto::Certificate> make_server_certificate(const Signer& ca, EVP_PKEY* public_key, const std::set<std::string>& names,
                                                      std::int64_t now_unix_ns) {
  const Names list(GENERAL_NAMES_new());
  for (const std::string& name : names) {
    const auto address = address_bytes(name);
    // GCOVR_EXCL_START: memory
    if (!list || !append_name(list.get(), address ? GEN_IPADD : GEN_DNS, address ? *address : name)) {
      return openssl_error("cannot name " + name + " in the server certificate");
    }
    // GCOVR_EXCL_STOP
  }
  return make_leaf(ca, public_key, "pganalytics-server", list, "serverAuth", now_unix_ns - kMinute, now_unix_ns + kYear);
}

Expected<crypto::Certificate> make_collector_certificate(const Signer& ca, EVP_PKEY* public_key, const std::string& collector_id,
                                                         std::int64_t now_unix_ns, std::int64_t life_ms) {
  const Names list(GENERAL_NAMES_new());
  // GCOVR_EXCL_START: memory
  if (!list || !append_name(list.get(), GEN_URI, "pganalytics:collector:" + collector_id)) {
    return openssl_error("cannot name collector " + collector_id + " in a certificate");
  }
  // GCOVR_EXCL_STOP
  return make_leaf(ca, public_key, collector_id, list, "clientAuth", now_unix_ns - kMinute, now_unix_ns + life_ms * 1'000'000);
}

Expected<std::set<std::string>> server_names(const std::vector<std::string>& extra) {
  std::set<std::string> names{"localhost", "127.0.0.1", "::1"};
  char host[256] = "";
  // GCOVR_EXCL_BR_START: a host's name is not for a test to choose
  if (::gethostname(host, sizeof host - 1) == 0 && is_dns_name(host)) names.insert(lower(host));
  // GCOVR_EXCL_BR_STOP
  for (const std::string& name : extra) {
    if (const auto address = address_bytes(name)) {
      names.insert(address_text(*address));
    } else if (is_dns_name(name)) {
      names.insert(lower(name));
    } else {
      return Error{PGA_E_CONFIG, "auth.server_name", "'" + name + "' in [tls] names is neither a DNS name nor an address",
                   "Give the names that collectors connect to, without scheme or port.", 0};
    }
  }
  return names;
}

std::set<std::string> names_of(X509* certificate) {
  std::set<std::string> found;
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                            static_cast<std::size_t>(ASN1_STRING_length(text)));
    found.insert(type == GEN_DNS ? lower(bytes) : address_text(bytes));
  }
  return found;
}

std::int64_t not_before_unix_ns(X509* certificate) { return crypto::unix_ns_of(X509_get0_notBefore(certificate)).value_or(0); }
std::int64_t not_after_unix_ns(X509* certificate) { return crypto::unix_ns_of(X509_get0_notAfter(certificate)).value_or(0); }

}  // namespace pganalytics::server::auth
