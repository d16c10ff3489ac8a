// A certificate authority for tests: made with OpenSSL when the test runs, certificates of any shape.
#pragma once

#include "core/crypto/keys.h"

#include <string>
#include <vector>

namespace pganalytics::testing {

struct KeyPair {
  std::string key_pem, certificate_pem;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test CA");

  // A server's certificate; names as in a SAN: "DNS:localhost", "IP:127.0.0.1".
  [[nodiscard]] KeyPair issue_server(const std::vector<std::string>& names = {"DNS:localhost", "IP:127.0.0.1"}) const;
  // A client's, for the public key of a CSR.
  [[nodiscard]] std::string issue_client(const std::string& csr_pem, const std::string& collector_id) const;
  [[nodiscard]] KeyPair issue_client(const std::string& collector_id) const;
  // Certificates issued after this are as old as that, of 24 hours' life.
  void set_age(long seconds) { age_seconds_ = seconds; }

  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string pin() const;  // "sha256:<hex>"

 private:
  [[nodiscard]] crypto::Certificate issue(EVP_PKEY* key, const std::string& common_name, const std::string& san,
                                          const std::string& usage) const;

  crypto::Key key_;
  crypto::Certificate certificate_;
  long age_seconds_ = 60;
};

}  // namespace pganalytics::testing
