// The HTTPS server: a listener, its connections, and the threads that serve them.
//
// Sockets live on a few I/O threads and never wait; handlers run on worker threads and may block. Everything is bounded:
// connections, time for each phase, header bytes and fields, body bytes (by the handler), requests at work.
#pragma once

#include "core/server/http/handler.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::http {

struct Limits {
  unsigned connections = 12'000;               // more are closed at once
  std::int64_t handshake_timeout_ms = 10'000;  // TLS
  std::int64_t request_timeout_ms = 30'000;    // from a request's first byte to its last, and the same for writing the answer
  std::int64_t idle_timeout_ms = 90'000;       // between requests
  std::int64_t stranger_timeout_ms = 30'000;   // the same, before the connection has authenticated
  std::size_t header_bytes = 8 * 1024;         // request line and fields
  std::size_t target_bytes = 4 * 1024;         // of the request line
  std::size_t header_fields = 64;
  unsigned requests_at_work = 512;  // more get 503
};

struct ServerOptions {
  std::string listen = "127.0.0.1:0";  // "address:port"; "[::1]:8443" for IPv6; port 0 = any free one
  std::string certificate_file, key_file;
  std::string client_ca_file;  // whose client certificates count
  std::string chain_ca_file;   // sent with the server's certificate; "" = not sent
  Limits limits;
  unsigned io_threads = 2;
  unsigned worker_threads = 8;
  std::int64_t stop_grace_ms = 10'000;  // how long stop() lets running requests finish
};

class HttpsServer {
 public:
  // Bound and serving when it returns. PGA_E_CONFIG: address or TLS files; PGA_E_FAIL: the port is taken.
  static Expected<std::unique_ptr<HttpsServer>> start(ServerOptions options, Handler handler);
  ~HttpsServer();  // stops

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] unsigned connections() const;

  // Read the certificate, the key and the CAs from their files again, for the connections to come; open ones keep what they
  // have. After an error everything stays as it was. [any thread]
  Outcome reload_tls();

  // Stop accepting, close idle connections, let running requests finish for stop_grace_ms, close the rest. Blocks; call it from
  // a thread that is not the server's. A second call does nothing.
  void stop();

 private:
  class Impl;
  explicit HttpsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::http
