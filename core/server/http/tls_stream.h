// TLS on one socket, asynchronously: handshake, read, write, goodbye. One operation at a time, all on the socket's strand.
//
// OpenSSL reads and writes the socket itself and gives its buffers back while nothing is on its way, so an idle connection holds
// little memory; Asio's own TLS stream keeps four records' worth for each. SIGPIPE must be blocked in the I/O threads.
// Not here: contexts and certificates (tls.h), time (session.cpp).
#pragma once

#include "core/crypto/keys.h"

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace pganalytics::server::http {

class TlsStream {
 public:
  using Done = std::function<void(const boost::system::error_code& error)>;

  // `context` is shared with the connection's SSL by OpenSSL's own count. The server's side; SSL_set_connect_state() on
  // native_handle() before the handshake makes it a client's.
  TlsStream(boost::asio::ip::tcp::socket socket, SSL_CTX* context);

  // Each calls `done` once, never before it returns; eof when the peer ended properly, operation_aborted after cancel or close.
  void handshake(Done done);
  void read_some(std::string& into, Done done);   // appends what is there, at most a record; `into` outlives the call
  void write(std::string_view bytes, Done done);  // all of them; they outlive the call
  void say_goodbye(Done done);                    // close_notify, without waiting for the peer's

  // The operation under way ends with operation_aborted; the stream stays good.
  void cancel();
  void close();

  [[nodiscard]] SSL* native_handle() { return ssl_.get(); }
  [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  using Attempt = std::function<int()>;  // as SSL_read and its kind: above 0 is done
  void carry_on(Attempt attempt, Done done, bool at_once);

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<SSL, crypto::FreeWith<SSL_free>> ssl_;
};

}  // namespace pganalytics::server::http
