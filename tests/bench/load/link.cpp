#include "tests/bench/load/link.h"

#include <openssl/x509v3.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <stdexcept>

#include "tests/support/must.h"

namespace pganalytics::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto kConnect = std::chrono::seconds(10), kCall = std::chrono::seconds(30), kSlowCall = std::chrono::seconds(60);
constexpr auto kReadLater = std::chrono::seconds(2);

// 127.1.0.0 and on: far from the addresses that other programs use.
asio::ip::address source_of(unsigned index) { return asio::ip::address_v4(0x7F010000U + index); }

// nullopt: more has to come.
std::optional<Answer> parse(const std::string& received, error_code& error) {
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.put(asio::buffer(received), error);
  if (error == http::error::need_more) error = {};
  if (error || !parser.is_done()) return std::nullopt;
  const auto& message = parser.get();
  const auto retry_after = message["Retry-After"];
  return Answer{static_cast<int>(message.result_int()), message.body(), std::string(retry_after.data(), retry_after.size()),
                !message.keep_alive()};
}

}  // namespace

Network::Network(const std::string& ca_pem, std::uint16_t port)
    : tls(SSL_CTX_new(TLS_client_method())),
      key(testing::must(crypto::make_p256_key())),
      server(asio::ip::address_v4::loopback(), port) {
  for (const auto& ca : testing::must(crypto::parse_certificates(ca_pem, 8)))
    X509_STORE_add_cert(SSL_CTX_get_cert_store(tls.get()), ca.get());
  SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_min_proto_version(tls.get(), TLS1_3_VERSION);
}

Link::Link(Network& network, unsigned index)
    : network_(network), index_(index), socket_(network.io), deadline_(network.io), pause_(network.io) {}

void Link::limit(std::chrono::seconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) self->drop();
  });
}

void Link::drop() {
  error_code ignored;
  deadline_.cancel();
  pause_.cancel();
  socket_.close(ignored);
  if (stream_) stream_->close();
}

void Link::open(const std::string& certificate_pem, Opened done) {
  error_code error;
  socket_.open(tcp::v4(), error);
  if (!error) socket_.bind(tcp::endpoint(source_of(index_), 0), error);
  if (error) throw std::runtime_error("a socket: " + error.message());
  limit(kConnect);
  socket_.async_connect(network_.server, [self = shared_from_this(), certificate_pem, done = std::move(done)](error_code failed) {
    if (failed) {
      self->drop();
      return done(false);
    }
    self->shake_hands(certificate_pem, done);
  });
}

void Link::shake_hands(const std::string& certificate_pem, Opened done) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  stream_.emplace(std::move(socket_), network_.tls.get());
  SSL* const ssl = stream_->native_handle();
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
  if (!certificate_pem.empty()) {
    SSL_use_certificate(ssl, testing::must(crypto::parse_certificate(certificate_pem)).get());
    SSL_use_PrivateKey(ssl, network_.key.get());
  }
  stream_->handshake([self = shared_from_this(), done = std::move(done)](const error_code& failed) {
    self->deadline_.cancel();
    if (failed) self->drop();
    done(!failed);
  });
}

void Link::call(std::string request, Answered done) {
  request_ = std::move(request);
  answered_ = std::move(done);
  limit(kCall);
  stream_->write(request_, [self = shared_from_this()](const error_code& failed) {
    if (failed) return self->finish(nullptr);
    self->read();
  });
}

void Link::trickle(std::string request, std::chrono::milliseconds pause, Answered done) {
  request_ = std::move(request);
  answered_ = std::move(done);
  limit(kSlowCall);
  give(0, pause);
}

void Link::give(std::size_t from, std::chrono::milliseconds pause) {
  if (from == request_.size()) return read_later(kReadLater);
  const auto byte = std::string_view(request_).substr(from, 1);
  stream_->write(byte, [self = shared_from_this(), from, pause](const error_code& failed) {
    if (failed) return self->finish(nullptr);
    self->pause_.expires_after(pause);
    self->pause_.async_wait([self, from, pause](const error_code& cancelled) {
      if (cancelled) return self->finish(nullptr);
      self->give(from + 1, pause);
    });
  });
}

void Link::read_later(std::chrono::milliseconds pause) {
  pause_.expires_after(pause);
  pause_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (cancelled) return self->finish(nullptr);
    self->read();
  });
}

void Link::read() {
  stream_->read_some(received_, [self = shared_from_this()](const error_code& failed) {
    if (failed) return self->finish(nullptr);
    error_code malformed;
    const auto answer = parse(self->received_, malformed);
    if (malformed) return self->finish(nullptr);
    answer ? self->finish(&*answer) : self->read();
  });
}

void Link::finish(const Answer* answer) {
  deadline_.cancel();
  request_ = {};
  received_ = {};
  if (answer == nullptr) drop();
  const Answered done = std::exchange(answered_, nullptr);
  if (done) done(answer);
}

std::string request_text(const std::string& method, const std::string& path, const std::string& token,
                         const std::string& more_headers, const std::string& body) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more_headers;
  if (!token.empty()) text += "Authorization: Bearer " + token + "\r\n";
  if (method != "GET") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

}  // namespace pganalytics::bench
