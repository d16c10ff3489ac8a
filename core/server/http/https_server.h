// The HTTPS server: a listener, its connections, and the threads that serve them.
//
// Sockets live on a few I/O threads and never wait; handlers run on worker threads and may block. Everything is bounded:
// connections, time for each phase, header bytes and fields, body bytes (by the handler), requests at work.
#pragma once

#include "core/server/http/handler.h"
#include "core/server/http/limits.h"
#include "core/server/http/refusals.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::http {

struct ServerOptions {
  std::string listen = "127.0.0.1:0";  // "address:port"; "[::1]:8443" for IPv6; port 0 = any free one
  std::string certificate_file, key_file;
  std::string client_ca_file;  // whose client certificates count
  std::string chain_ca_file;   // sent with the server's certificate; "" = not sent
  Limits limits;
  std::shared_ptr<Refusals> refusals = std::make_shared<Refusals>();  // where to count them
  Observer observer;                                                  // told of each answer; may be empty
  unsigned io_threads = 2;
  unsigned worker_threads = 16;         // most of them wait for the database: pushes that wait together are stored together
  std::int64_t stop_grace_ms = 10'000;  // how long stop() lets running requests finish
};

class HttpsServer {
 public:
  // Bound and serving when it returns. PGA_E_CONFIG: address or TLS files; PGA_E_FAIL: the port is taken.
  static Expected<std::unique_ptr<HttpsServer>> start(ServerOptions options, Handler handler);
  ~HttpsServer();  // stops

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] unsigned connections() const;
  [[nodiscard]] std::uint64_t accepted() const;    // connections, since it started
  [[nodiscard]] std::uint64_t handshakes() const;  // TLS handshakes that succeeded
  [[nodiscard]] unsigned requests_at_work() const;

  // Read the certificate, the key and the CAs from their files again, for the connections to come; open ones keep what they
  // have. If a CA of the clients is gone, all connections end as in close_connections_of(), and who is still trusted comes again.
  // After an error everything stays as it was. [any thread]
  Outcome reload_tls();

  // Other limits from now on; an open connection keeps those of its times and sizes that it began with. [any thread]
  void use(const Limits& limits);

  // The collector is revoked: its idle connections close now, the others when their request is answered. [any thread]
  void close_connections_of(const std::string& collector_id);

  // Stop accepting, close idle connections, let running requests finish for stop_grace_ms, close the rest. Blocks; call it from
  // a thread that is not the server's. A second call does nothing.
  void stop();

  // Whatever stop() waits for ends now: connections close without their answers. While stop() runs in another thread. [any
  // thread]
  void hurry();

 private:
  class Impl;
  explicit HttpsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::http
