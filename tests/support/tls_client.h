// A TLS client for tests that sends bytes, not requests: what no well-behaved HTTP library would send can be sent, too.
//
// Blocking, with a deadline on every read. Verifies the server against `ca_pem`.
#pragma once

#include "core/crypto/keys.h"
#include "tests/support/test_authority.h"

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::testing {

struct Answer {
  int status = 0;                              // 0: the connection ended without one
  std::map<std::string, std::string> headers;  // names lower-case
  std::string body;
};

struct TlsClientOptions {
  std::string ca_pem;
  std::optional<KeyPair> certificate;
  int max_version = TLS1_3_VERSION;
  std::string alpn;  // "http/1.1"; "" = none offered
};

class TlsClient {
 public:
  // Throws std::runtime_error if the connection or the handshake fails.
  TlsClient(std::uint16_t port, const TlsClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void send(std::string_view bytes);
  // The next answer; has_body false for HEAD.
  Answer read_answer(bool has_body = true);
  // "GET path" with Host and `headers` ("Name: value\r\n"...), and its answer.
  Answer request(const std::string& method, const std::string& target, const std::string& headers = {},
                 const std::string& body = {});
  // True when the server ends the connection within the deadline.
  bool ended(std::int64_t timeout_ms = 10'000);

  [[nodiscard]] int server_certificates() const;  // how many the server sent
  [[nodiscard]] bool resumable() const;           // a session ticket came

 private:
  bool fill(std::int64_t timeout_ms);

  int socket_ = -1;
  std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, crypto::FreeWith<SSL_free>> ssl_;
  std::string received_;
};

}  // namespace pganalytics::testing
