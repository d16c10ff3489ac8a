#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace pganalytics::testing {
namespace {

constexpr std::int64_t kDeadlineMs = 20'000;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("TLS client: " + what + ": " + crypto::openssl_reason());
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    fail("connect");
  }
  return fd;
}

void set_read_timeout(int fd, std::int64_t timeout_ms) {
  const timeval limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : socket_(connect_to(port)), context_(SSL_CTX_new(TLS_client_method())) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up is what some tests wait for
  const crypto::Certificate ca = crypto::parse_certificate(options.ca_pem).value();
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.get());
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
  if (options.certificate) {
    const crypto::Certificate certificate = crypto::parse_certificate(options.certificate->certificate_pem).value();
    const crypto::Key key = crypto::parse_private_key(options.certificate->key_pem).value();
    if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1) fail("use a certificate");
    if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) fail("use a key");
  }
  ssl_.reset(SSL_new(context_.get()));
  if (!options.alpn.empty()) {
    const std::string wire = static_cast<char>(options.alpn.size()) + options.alpn;
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()), static_cast<unsigned>(wire.size()));
  }
  set_read_timeout(socket_, kDeadlineMs);
  SSL_set_fd(ssl_.get(), socket_);
  if (SSL_connect(ssl_.get()) != 1) {
    ::close(socket_);
    fail("handshake");
  }
}

TlsClient::~TlsClient() { ::close(socket_); }

void TlsClient::send(std::string_view bytes) {
  // A server that has hung up is part of what is tested: the answer, or its absence, tells.
  while (!bytes.empty()) {
    const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool TlsClient::fill(std::int64_t timeout_ms) {
  set_read_timeout(socket_, timeout_ms);
  char bytes[16384];
  const int size = SSL_read(ssl_.get(), bytes, sizeof bytes);
  if (size > 0) received_.append(bytes, static_cast<std::size_t>(size));
  return size > 0;
}

Answer TlsClient::read_answer(bool has_body) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(kDeadlineMs)) return {};
  }
  Answer answer;
  std::string head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  answer.status = std::atoi(head.c_str() + sizeof "HTTP/1.1");
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    answer.headers[lower(head.substr(at, colon - at))] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  if (!has_body || answer.headers.count("content-length") == 0) return answer;
  const auto size = static_cast<std::size_t>(std::atoll(answer.headers["content-length"].c_str()));
  while (received_.size() < size) {
    if (!fill(kDeadlineMs)) throw std::runtime_error("TLS client: the answer's body is cut short");
  }
  answer.body = received_.substr(0, size);
  received_.erase(0, size);
  return answer;
}

Answer TlsClient::request(const std::string& method, const std::string& target, const std::string& headers,
                          const std::string& body) {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + body);
  return read_answer(method != "HEAD");
}

bool TlsClient::ended(std::int64_t timeout_ms) {
  set_read_timeout(socket_, timeout_ms);
  char byte = 0;
  const int size = SSL_read(ssl_.get(), &byte, 1);
  return size <= 0 && SSL_get_error(ssl_.get(), size) != SSL_ERROR_WANT_READ;
}

int TlsClient::server_certificates() const { return sk_X509_num(SSL_get_peer_cert_chain(ssl_.get())); }
bool TlsClient::resumable() const { return SSL_SESSION_is_resumable(SSL_get0_session(ssl_.get())) == 1; }

}  // namespace pganalytics::testing
