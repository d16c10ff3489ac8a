#include "core/server/http/plain_listener.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "core/clock/clock.h"
#include "core/server/http/answer_text.h"
#include "core/server/http/listen_address.h"

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr unsigned kConnections = 16;
constexpr std::uint32_t kHeaderBytes = 8 * 1024;
constexpr auto kRequestTime = std::chrono::seconds(5);
constexpr auto kAnswerTime = std::chrono::seconds(10);

// One connection: a request, its answer, the end. Lives as long as an operation of it is on its way. `open` counts it.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(tcp::socket socket, const PlainListener::Answer& answer, unsigned& open)
      : stream_(std::move(socket)), answer_(answer), open_(open) {
    ++open_;
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(std::uint64_t{0});
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  ~Conversation() { --open_; }

  void start() {
    stream_.expires_after(kRequestTime);
    beast::http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](const error_code& error, std::size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const auto& request = parser_.get();
    const std::string target(request.target());
    const bool is_head = request.method() == beast::http::verb::head;
    const bool is_read = is_head || request.method() == beast::http::verb::get;
    const Response response =
        is_read ? answer_(target.substr(0, target.find('?')))
                : Response::error(405, "method_not_allowed", "only GET and HEAD").with_header("Allow", "GET, HEAD");
    text_ = answer_text(response, {}, is_head, false, clock::now_unix_ns());
    stream_.expires_after(kAnswerTime);
    asio::async_write(stream_, asio::buffer(text_), [self = shared_from_this()](const error_code&, std::size_t) {
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  beast::http::request_parser<beast::http::empty_body> parser_;
  const PlainListener::Answer& answer_;
  unsigned& open_;
  std::string text_;
};

}  // namespace

class PlainListener::Impl {
 public:
  explicit Impl(Answer answer) : answer_(std::move(answer)), io_(1), acceptor_(io_), pause_(io_) {}
  ~Impl() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Outcome start(const std::string& listen) {
    PGA_CHECK(listen_on(acceptor_, listen));
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] {
      sigset_t broken_pipe;
      sigemptyset(&broken_pipe);
      sigaddset(&broken_pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
      io_.run();
    });
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error) return accept_later();
      if (open_ < kConnections) std::make_shared<Conversation>(std::move(socket), answer_, open_)->start();
      accept();
    });
  }

  // No file descriptor left, most likely.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](const error_code& cancelled) {
      if (!cancelled) accept();
    });
  }

  const Answer answer_;
  unsigned open_ = 0;  // conversations; outlives io_, whose end is theirs
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

Expected<std::unique_ptr<PlainListener>> PlainListener::start(const std::string& listen, Answer answer) {
  auto impl = std::make_unique<Impl>(std::move(answer));
  PGA_CHECK(impl->start(listen));
  return std::unique_ptr<PlainListener>(new PlainListener(std::move(impl)));
}

PlainListener::PlainListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PlainListener::~PlainListener() = default;
std::uint16_t PlainListener::port() const { return impl_->port(); }

}  // namespace pganalytics::server::http
