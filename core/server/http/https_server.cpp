// The listener and the threads; a connection's life is in session.cpp.
#include "core/server/http/https_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "core/log/log.h"
#include "core/server/http/client_address.h"
#include "core/server/http/session.h"
#include "core/server/http/tls.h"

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Expected<tcp::endpoint> parse_listen(const std::string& listen) {
  const auto bad = [&](const std::string& why) {
    return Error{PGA_E_CONFIG, "http.listen", "listen on \"" + listen + "\": " + why,
                 "Write it as \"0.0.0.0:8443\", \"127.0.0.1:8443\" or \"[::]:8443\".", 0};
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return bad("no port");
  std::string host = listen.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = listen.data() + listen.size();
  const auto [parsed_to, code] = std::from_chars(listen.data() + colon + 1, end, port);
  if (code != std::errc{} || parsed_to != end) return bad("the port is not a number up to 65535");
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return bad("the part before the port is not an IP address");
  return tcp::endpoint(address, port);
}

Outcome bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, const std::string& listen) {
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

TlsFiles tls_files(const ServerOptions& options) {
  return {options.certificate_file, options.key_file, options.client_ca_file, options.chain_ca_file};
}

}  // namespace

class HttpsServer::Impl {
 public:
  Impl(ServerOptions options, Handler handler, TlsContext tls)
      : options_(std::move(options)),
        shared_{
            options_.limits,   std::move(handler),           TlsSlot(std::move(tls)), asio::thread_pool(options_.worker_threads),
            options_.refusals, Connections(options_.limits), Bodies(options_.limits), {}},
        io_(static_cast<int>(options_.io_threads)),
        work_(io_.get_executor()),
        acceptor_(asio::make_strand(io_)),
        pause_(acceptor_.get_executor()) {}

  ~Impl() { stop(); }

  Outcome start() {
    PGA_TRY(const auto endpoint, parse_listen(options_.listen));
    PGA_CHECK(bind(acceptor_, endpoint, options_.listen));
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
void HttpsServer::stop() { impl_->stop(); }

}  // namespace pganalytics::server::http
