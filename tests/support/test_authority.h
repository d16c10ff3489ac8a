// A certificate authority for tests: made with OpenSSL when the test runs, certificates of every kind, the wrong ones too.
#pragma once

#include "core/crypto/keys.h"

#include <string>
#include <vector>

namespace pganalytics::testing {

struct KeyPair {
  std::string key_pem, certificate_pem;
};

// Seconds from now.
struct Validity {
  long from_s = -60;
  long to_s = 24 * 3600 - 60;
};

// 24 hours, of which these have passed.
inline Validity day_begun(long seconds_ago) { return {-seconds_ago, 24 * 3600 - seconds_ago}; }

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test CA");

  // subject_alt_name in OpenSSL's notation: "DNS:localhost,IP:127.0.0.1", "URI:pganalytics:collector:<uuid>"; usage:
  // "serverAuth", "clientAuth".
  [[nodiscard]] KeyPair issue(const std::string& subject_alt_name, const std::string& usage, Validity validity = {}) const;
  // A server's certificate; names as in a SAN: "DNS:localhost", "IP:127.0.0.1".
  [[nodiscard]] KeyPair issue_server(const std::vector<std::string>& names = {"DNS:localhost", "IP:127.0.0.1"}) const;
  // A client's, for the public key of a CSR.
  [[nodiscard]] std::string issue_client(const std::string& csr_pem, const std::string& collector_id) const;
  [[nodiscard]] KeyPair issue_client(const std::string& collector_id, Validity validity = {}) const;

  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string pin() const;  // "sha256:<hex>"

 private:
  [[nodiscard]] std::string sign(EVP_PKEY* key, const std::string& subject_alt_name, const std::string& usage,
                                 Validity validity) const;

  crypto::Key key_;
  crypto::Certificate certificate_;
};

}  // namespace pganalytics::testing
