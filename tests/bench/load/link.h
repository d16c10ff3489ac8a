// One HTTPS connection of a simulated collector: opened, asked one request at a time, closed. [the thread of its io_context]
//
// Each step ends within the collector's own times (core/transport/http_client.h): 10 s to connect and shake hands, 30 s a call.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/crypto/keys.h"
#include "core/server/http/tls_stream.h"

namespace pganalytics::bench {

struct Answer {
  int status = 0;
  std::string body, retry_after;
  bool ends_connection = false;
};

// What all links have in common; outlives them.
struct Network {
  boost::asio::io_context io{1};
  std::unique_ptr<SSL_CTX, crypto::FreeWith<SSL_CTX_free>> tls;  // trusts the server's CA alone
  crypto::Key key;                                               // of all collectors
  boost::asio::ip::tcp::endpoint server;

  Network(const std::string& ca_pem, std::uint16_t port);  // throws
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  using Opened = std::function<void(bool ok)>;
  using Answered = std::function<void(const Answer* answer)>;  // nullptr: the connection is gone

  // `index` makes the source address: each collector has one of its own.
  Link(Network& network, unsigned index);

  void open(const std::string& certificate_pem, Opened done);  // "": none is shown
  void call(std::string request, Answered done);
  // The request a byte at a time with pauses between, the answer fetched late.
  void trickle(std::string request, std::chrono::milliseconds pause, Answered done);
  void drop();  // at once; what is under way fails

 private:
  void shake_hands(const std::string& certificate_pem, Opened done);
  void give(std::size_t from, std::chrono::milliseconds pause);
  void read_later(std::chrono::milliseconds pause);
  void read();
  void finish(const Answer* answer);
  void limit(std::chrono::seconds time);

  Network& network_;
  const unsigned index_;
  boost::asio::ip::tcp::socket socket_;  // until the stream has it
  std::optional<server::http::TlsStream> stream_;
  boost::asio::steady_timer deadline_, pause_;
  std::string request_, received_;
  Answered answered_;
};

// The bytes of a request; `token` "": none.
std::string request_text(const std::string& method, const std::string& path, const std::string& token,
                         const std::string& more_headers, const std::string& body);

}  // namespace pganalytics::bench
