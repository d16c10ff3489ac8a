#include "tests/support/https_server.h"

#include <openssl/ssl.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <sstream>
#include <thread>

namespace pganalytics::testing {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using Stream = boost::beast::ssl_stream<Tcp::socket>;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

asio::ssl::context tls_context(const HttpsServerOptions& options) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  const std::string chain = options.certificate.certificate_pem + options.chain_pem;
  context.use_certificate_chain(asio::buffer(chain));
  context.use_private_key(asio::buffer(options.certificate.key_pem), asio::ssl::context::pem);
  context.set_verify_mode(asio::ssl::verify_peer);
  context.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
  const int version = options.tls_1_2_only ? TLS1_2_VERSION : TLS1_3_VERSION;
  SSL_CTX_set_min_proto_version(context.native_handle(), version);
  SSL_CTX_set_max_proto_version(context.native_handle(), version);
  const unsigned char session_id[] = "test";
  SSL_CTX_set_session_id_context(context.native_handle(), session_id, sizeof session_id);
  return context;
}

std::string thumbprint_of_peer(Stream& stream) {
  const crypto::Certificate certificate(SSL_get1_peer_certificate(stream.native_handle()));
  return certificate ? crypto::certificate_thumbprint(certificate.get()) : "";
}

}  // namespace

class HttpsServer::Impl {
 public:
  Impl(const HttpsServerOptions& options, Handler handler)
      : tls_(tls_context(options)),
        acceptor_(io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        port_(acceptor_.local_endpoint().port()),
        handler_(std::move(handler)) {
    accepting_ = std::thread([this] { accept(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& thread : serving_) thread.join();
  }

  int port_of() const { return port_; }

  std::vector<SeenRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  int connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  void accept() {
    for (;;) {
      boost::system::error_code error;
      Tcp::socket socket(io_);
      acceptor_.accept(socket, error);
      const std::lock_guard lock(mutex_);
      if (error || stopping_) return;
      const int number = ++connections_;
      open_.push_back(socket.native_handle());
      serving_.emplace_back([this, number, moved = std::move(socket)]() mutable { serve(std::move(moved), number); });
    }
  }

  void serve(Tcp::socket socket, int number) {
    const int fd = socket.native_handle();
    Stream stream(std::move(socket), tls_);
    boost::system::error_code error;
    stream.handshake(asio::ssl::stream_base::server, error);
    boost::beast::flat_buffer buffer;
    while (!error && answer_one(stream, buffer, number)) {
    }
    const std::lock_guard lock(mutex_);  // before the descriptor is closed and its number used again
    open_.remove(fd);
  }

  bool answer_one(Stream& stream, boost::beast::flat_buffer& buffer, int number) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(16 << 20);
    boost::system::error_code error;
    http::read(stream, buffer, parser, error);
    if (error) return false;
    const ScriptedAnswer answer = record(stream, parser.get(), number);
    if (answer.hang_up) return false;
    if (!answer.raw.empty()) {
      asio::write(stream, asio::buffer(answer.raw), error);
      stream.shutdown(error);
      return false;
    }
    if (answer.endless) return write_for_ever(stream, answer);
    http::response<http::string_body> response(static_cast<http::status>(answer.status), 11, answer.body);
    for (const auto& [name, value] : answer.headers) response.set(name, value);
    response.keep_alive(true);
    if (answer.status != 304) response.prepare_payload();
    http::write(stream, response, error);
    return !error;
  }

  ScriptedAnswer record(Stream& stream, const http::request<http::string_body>& request, int number) {
    SeenRequest seen;
    seen.method = std::string(request.method_string());
    seen.path = std::string(request.target());
    seen.body = request.body();
    seen.connection = number;
    seen.certificate_thumbprint = thumbprint_of_peer(stream);
    for (const auto& field : request) seen.headers[lower(std::string(field.name_string()))] = std::string(field.value());
    const std::lock_guard lock(mutex_);
    seen_.push_back(seen);
    return handler_(seen);
  }

  static bool write_for_ever(Stream& stream, const ScriptedAnswer& answer) {
    boost::system::error_code error;
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")), error);
    std::ostringstream chunk;
    chunk << std::hex << answer.chunk_bytes << "\r\n" << std::string(answer.chunk_bytes, 'x') << "\r\n";
    while (!error) {
      asio::write(stream, asio::buffer(chunk.str()), error);
      std::this_thread::sleep_for(std::chrono::milliseconds(answer.pause_ms));
    }
    return false;
  }

  asio::io_context io_;
  asio::ssl::context tls_;
  Tcp::acceptor acceptor_;
  const int port_;
  const Handler handler_;

  mutable std::mutex mutex_;
  bool stopping_ = false;
  int connections_ = 0;
  std::vector<SeenRequest> seen_;
  std::list<int> open_;
  std::list<std::thread> serving_;
  std::thread accepting_;
};

HttpsServer::HttpsServer(HttpsServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(options, std::move(handler))) {}
HttpsServer::~HttpsServer() = default;
std::string HttpsServer::url(const std::string& host) const { return "https://" + host + ":" + std::to_string(port()); }
int HttpsServer::port() const { return impl_->port_of(); }
std::vector<SeenRequest> HttpsServer::requests() const { return impl_->requests(); }
int HttpsServer::connections() const { return impl_->connections(); }

}  // namespace pganalytics::testing
