// The listener and the threads; a connection's life is in session.cpp.
#include "core/server/http/https_server.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "core/config/listen_address.h"
#include "core/log/log.h"
#include "core/server/http/client_address.h"
#include "core/server/http/session.h"
#include "core/server/http/tls.h"

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

TlsFiles tls_files(const ServerOptions& options) {
  return {options.certificate_file, options.key_file, options.client_ca_file, options.chain_ca_file};
}

Outcome listen_on(tcp::acceptor& acceptor, const std::string& listen) {
  PGA_TRY(const auto address, config::ListenAddress::parse(listen));
  const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
  error_code error;
  const auto failed = [&](const char* doing) {
    return Error{PGA_E_FAIL, "http.listen", std::string(doing) + " " + listen + ": " + error.message(), {}, 0};
  };
  if (acceptor.open(endpoint.protocol(), error); error) return failed("open a socket for");
  if (acceptor.set_option(asio::socket_base::reuse_address(true), error); error) return failed("prepare a socket for");
  if (acceptor.bind(endpoint, error); error) return failed("bind");
  if (acceptor.listen(asio::socket_base::max_listen_connections, error); error) return failed("listen on");
  return {};
}

}  // namespace

class HttpsServer::Impl {
 public:
  Impl(ServerOptions options, Handler handler, TlsContext tls)
      : options_(std::move(options)),
        shared_{LimitsSlot(options_.limits),
                std::move(handler),
                TlsSlot(std::move(tls)),
                asio::thread_pool(options_.worker_threads),
                options_.refusals,
                options_.observer,
                Connections(options_.limits),
                Bodies(options_.limits),
                {},
                {},
                {},
                {}},
        io_(static_cast<int>(options_.io_threads)),
        work_(io_.get_executor()),
        acceptor_(asio::make_strand(io_)),
        pause_(acceptor_.get_executor()) {}

  ~Impl() { stop(); }

  Outcome start() {
    PGA_CHECK(listen_on(acceptor_, options_.listen));
    port_ = acceptor_.local_endpoint().port();
    asio::post(acceptor_.get_executor(), [this] { accept(); });
    for (unsigned i = 0; i < options_.io_threads; ++i) threads_.emplace_back([this] { serve_sockets(); });
    return {};
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    asio::post(acceptor_.get_executor(), [this] {
      stopping_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
    });
    if (!threads_.empty()) end_connections();
    shared_.workers.join();
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Outcome reload_tls() {
    PGA_TRY(auto tls, make_tls_context(tls_files(options_)));
    const auto before = shared_.tls.put(std::move(tls));
    // A peer is verified once, when it connects: whoever came with a certificate of a CA that counts no more has to come again.
    if (!trusts_all_of(shared_.tls.get().get(), before.get())) drain_all();
    return {};
  }

  void close_connections_of(const std::string& collector_id) {
    shared_.connections.for_each_of(collector_id, [](Connections::Member& member) { member.drain(); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void use(const Limits& limits) {
    shared_.limits.put(limits);
    shared_.connections.use(limits);
    shared_.bodies.use(limits);
  }

  void hurry() {
    shared_.connections.for_each([](Connections::Member& member) { member.abort(); });
  }

  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t handshakes() const { return shared_.handshakes; }
  [[nodiscard]] unsigned requests_at_work() const { return shared_.requests_at_work; }
  [[nodiscard]] unsigned connections() const { return static_cast<unsigned>(shared_.connections.count()); }

 private:
  void drain_all() {
    shared_.connections.for_each([](Connections::Member& member) { member.drain(); });
  }

  // A connection may be accepted while the others are told to end: hence twice.
  void end_connections() {
    drain_all();
    if (!shared_.connections.wait_until_empty(options_.stop_grace_ms / 2)) {
      drain_all();
      if (!shared_.connections.wait_until_empty(options_.stop_grace_ms / 2)) {
        log::warn("closing " + std::to_string(connections()) + " connections whose requests did not finish");
        shared_.connections.for_each([](Connections::Member& member) { member.abort(); });
      }
    }
  }

  void accept() {
    acceptor_.async_accept(asio::make_strand(io_), [this](const error_code& error, tcp::socket socket) {
      if (stopping_) return;
      if (error) return accept_later(error);
      take_in(std::move(socket));
      accept();
    });
  }

  void take_in(tcp::socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    std::string address = address_text(peer.address());
    Refusal why_not{};
    auto place = shared_.connections.admit(address, why_not);
    accepted_.fetch_add(1, std::memory_order_relaxed);
    if (!place) return options_.refusals->count(why_not);
    socket.set_option(tcp::no_delay(true), error);
    const auto strand = socket.get_executor();
    asio::post(strand, [this, socket = std::move(socket), place = std::move(*place), address = std::move(address)]() mutable {
      start_session(std::move(socket), std::move(place), std::move(address), shared_);
    });
  }

  // OpenSSL writes to sockets without MSG_NOSIGNAL: a client that hangs up must be an error of its connection only.
  void serve_sockets() {
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    io_.run();
  }

  // No file descriptor left, most likely: an immediate retry would burn the CPU that frees one.
  void accept_later(const error_code& error) {
    log::warn("accept a connection on " + options_.listen + ": " + error.message());
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](const error_code& cancelled) {
      if (!cancelled && !stopping_) accept();
    });
  }

  const ServerOptions options_;
  Shared shared_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> accepted_{0};
  bool stopping_ = false;  // on the acceptor's strand
  bool stopped_ = false;   // on the owner's thread
};

Expected<std::unique_ptr<HttpsServer>> HttpsServer::start(ServerOptions options, Handler handler) {
  PGA_TRY(auto tls, make_tls_context(tls_files(options)));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler), std::move(tls));
  PGA_CHECK(impl->start());
  return std::unique_ptr<HttpsServer>(new HttpsServer(std::move(impl)));
}

HttpsServer::HttpsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpsServer::~HttpsServer() = default;
std::uint16_t HttpsServer::port() const { return impl_->port(); }
unsigned HttpsServer::connections() const { return impl_->connections(); }
Outcome HttpsServer::reload_tls() { return impl_->reload_tls(); }
void HttpsServer::close_connections_of(const std::string& collector_id) { impl_->close_connections_of(collector_id); }
std::uint64_t HttpsServer::accepted() const { return impl_->accepted(); }
std::uint64_t HttpsServer::handshakes() const { return impl_->handshakes(); }
unsigned HttpsServer::requests_at_work() const { return impl_->requests_at_work(); }
void HttpsServer::stop() { impl_->stop(); }
void HttpsServer::use(const Limits& limits) { impl_->use(limits); }
void HttpsServer::hurry() { impl_->hurry(); }

}  // namespace pganalytics::server::http
