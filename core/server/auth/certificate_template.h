// What goes into a certificate that the server signs: three kinds, each completely decided here.
//
// Here: OpenSSL's certificate building, from values of ours only (nothing of a request's subject or extensions gets in).
// Not here: which kind is issued when, files (authority.cpp). Pure but for the clock's value, which is passed in. [any thread]
#pragma once

#include "core/crypto/keys.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::server::auth {

struct Signer {
  EVP_PKEY* key;
  X509* certificate;
};

// Self-signed "pgAnalytics CA", ten years, may sign leaves only (pathlen 0).
Expected<crypto::Certificate> make_ca_certificate(EVP_PKEY* key, std::int64_t now_unix_ns);

// EKU serverAuth, one year. `names`: DNS names and addresses, as in server_names().
Expected<crypto::Certificate> make_server_certificate(const Signer& ca, EVP_PKEY* public_key, const std::set<std::string>& names,
                                                      std::int64_t now_unix_ns);

// EKU clientAuth, SAN URI:pganalytics:collector:<id>, valid from a minute ago.
Expected<crypto::Certificate> make_collector_certificate(const Signer& ca, EVP_PKEY* public_key, const std::string& collector_id,
                                                         std::int64_t now_unix_ns, std::int64_t life_ms);

// localhost, 127.0.0.1, ::1, the host's name and `extra`, in one spelling each (lower case, addresses as inet_ntop writes them).
// PGA_E_CONFIG for an entry of `extra` that is neither an address nor a DNS name.
Expected<std::set<std::string>> server_names(const std::vector<std::string>& extra);
// The DNS names and addresses in a certificate's SAN, spelled likewise.
std::set<std::string> names_of(X509* certificate);

std::int64_t not_before_unix_ns(X509* certificate);
std::int64_t not_after_unix_ns(X509* certificate);

}  // namespace pganalytics::server::auth
