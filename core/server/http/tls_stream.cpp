#include "core/server/http/tls_stream.h"

#include <openssl/err.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::ip::tcp::socket;

constexpr std::size_t kRecordBytes = 16 * 1024;

// What a failed attempt comes to, once it is neither waiting nor done.
error_code error_of(int ssl_error) {
  if (ssl_error == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  return asio::error::connection_reset;
}

}  // namespace

TlsStream::TlsStream(Socket socket, SSL_CTX* context) : socket_(std::move(socket)), ssl_(SSL_new(context)) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  if (!ssl_) return;
  SSL_set_fd(ssl_.get(), socket_.native_handle());
  SSL_set_accept_state(ssl_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

void TlsStream::carry_on(Attempt attempt, Done done, bool at_once) {
  const auto finish = [&](const error_code& error) {
    if (!at_once) return done(error);
    asio::post(socket_.get_executor(), [done = std::move(done), error] { done(error); });
  };
  if (!ssl_ || !socket_.is_open()) return finish(asio::error::operation_aborted);
  ERR_clear_error();
  const int result = attempt();
  if (result > 0) return finish({});
  const int reason = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) return finish(error_of(reason));
  const auto ready = reason == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write;
  socket_.async_wait(ready, [this, attempt = std::move(attempt), done = std::move(done)](const error_code& error) mutable {
    if (error) return done(error);
    carry_on(std::move(attempt), std::move(done), false);
  });
}

void TlsStream::handshake(Done done) {
  carry_on([ssl = ssl_.get()] { return SSL_do_handshake(ssl); }, std::move(done), true);
}

void TlsStream::read_some(std::string& into, Done done) {
  const auto attempt = [ssl = ssl_.get(), &into] {
    thread_local std::array<char, kRecordBytes> record;
    const int size = SSL_read(ssl, record.data(), static_cast<int>(record.size()));
    if (size > 0) into.append(record.data(), static_cast<std::size_t>(size));
    return size;
  };
  carry_on(attempt, std::move(done), true);
}

void TlsStream::write(std::string_view bytes, Done done) {
  auto rest = std::make_shared<std::string_view>(bytes);
  const auto attempt = [ssl = ssl_.get(), rest] {
    while (!rest->empty()) {
      const int size = SSL_write(ssl, rest->data(), static_cast<int>(std::min<std::size_t>(rest->size(), 1u << 30)));
      if (size <= 0) return size;
      rest->remove_prefix(static_cast<std::size_t>(size));
    }
    return 1;
  };
  carry_on(attempt, std::move(done), true);
}

void TlsStream::say_goodbye(Done done) {
  // 0: ours is sent and the peer's has not come, which is enough.
  const auto attempt = [ssl = ssl_.get()] {
    const int result = SSL_shutdown(ssl);
    return result == 0 ? 1 : result;
  };
  carry_on(attempt, std::move(done), true);
}

void TlsStream::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void TlsStream::close() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace pganalytics::server::http
