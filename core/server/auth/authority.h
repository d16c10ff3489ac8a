// The server's own certificate authority and its TLS certificate: files under data_dir, made at first start.
//
//   data_dir/ca.key (0600)  ca.crt (written last and whole)  server.key (0600)  server.crt (with the CA: the chain that is sent)
//
// The CA's files and its rotation: ca_files.h. Thread-safe; what it says changes in refresh() only.
#pragma once

#include "core/clock/clock.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::auth {

struct IssuedCertificate {
  std::string certificate_pem;
  std::string public_key_sha256;  // hex of SHA-256 of the public key info
  std::string thumbprint_sha256;  // base64url of SHA-256 of the DER
  std::string ca_pin;             // of the CA that signed it
  std::int64_t not_before_unix_ns = 0, not_after_unix_ns = 0;
};

class Authority {
 public:
  // names: extra DNS names and addresses for the server's certificate, beside localhost, 127.0.0.1, ::1 and the host name.
  // `clock` outlives the authority.
  static Expected<std::unique_ptr<Authority>> open(const std::string& data_dir, const std::vector<std::string>& names,
                                                   const clock::Clock& clock = clock::system_clock());
  ~Authority();

  // Follow the files: another process may have taken a step of a CA's rotation, or made another server certificate; and make one
  // when half the life of this one is over. True if TLS has to be loaded anew. After an error everything stays as it is. Cheap
  // when nothing has happened.
  Expected<bool> refresh();

  // Client certificate for a collector, from its CSR: proof of possession checked, P-256 or Ed25519 only, every requested name
  // and extension ignored. SAN URI:pganalytics:collector:<id>, EKU clientAuth, notBefore -60 s. PGA_E_CONFIG: bad CSR.
  Expected<IssuedCertificate> issue_from_csr(const std::string& csr_pem, const std::string& collector_id, std::int64_t life_ms);
  // Hex SHA-256 of the CSR's public key info, after the same checks.
  Expected<std::string> public_key_of_csr(const std::string& csr_pem);
  // The simple form: a key made in memory, never stored. Returns certificate and key_pem.
  struct KeyAndCertificate {
    IssuedCertificate certificate;
    std::string key_pem;
  };
  Expected<KeyAndCertificate> issue_with_key(const std::string& collector_id, std::int64_t life_ms);

  [[nodiscard]] std::string ca_pem() const;     // of the CA that signs
  [[nodiscard]] std::string ca_pin() const;     // "sha256:" + hex of its public key info
  [[nodiscard]] std::string ca_bundle() const;  // it, followed by the others that are trusted: what collectors should have
  [[nodiscard]] std::string ca_etag() const;    // of the bundle, with its quotes
  [[nodiscard]] std::string ca_file() const;    // the bundle's
  [[nodiscard]] std::string server_certificate_file() const;
  [[nodiscard]] std::string server_key_file() const;

 private:
  class Impl;
  explicit Authority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::auth
