// A real HTTPS server on loopback whose answers a test decides, request by request. TLS by OpenSSL, HTTP by Boost.Beast, one
// blocking thread per connection; it asks for a client certificate and takes any.
#pragma once

#include "tests/support/test_authority.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pganalytics::testing {

struct SeenRequest {
  std::string method, path, body;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string certificate_thumbprint;          // of the client's certificate; "" if it showed none
  int connection = 0;                          // 1, 2, ...: which connection it came on
};

struct ScriptedAnswer {
  int status = 200;
  std::string body;
  std::map<std::string, std::string> headers = {};
  bool hang_up = false;  // close without an answer: the request arrived, the answer is lost
  bool endless = false;  // a body that never ends: so many bytes, so long a pause, and again
  std::size_t chunk_bytes = 0x10000;
  int pause_ms = 0;
  std::string raw = {};  // instead of all of the above: these bytes, then close
};

struct HttpsServerOptions {
  KeyPair certificate;
  std::string chain_pem;  // sent after the certificate: the CA
  bool tls_1_2_only = false;
};

class HttpsServer {
 public:
  using Handler = std::function<ScriptedAnswer(const SeenRequest&)>;  // called on a connection's thread, one at a time

  HttpsServer(HttpsServerOptions options, Handler handler);
  ~HttpsServer();

  [[nodiscard]] std::string url(const std::string& host = "localhost") const;
  [[nodiscard]] int port() const;
  [[nodiscard]] std::vector<SeenRequest> requests() const;
  [[nodiscard]] int connections() const;  // accepted, handshake done or not

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::testing
