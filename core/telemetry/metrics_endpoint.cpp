#include "core/telemetry/metrics_endpoint.h"

#include "core/log/log.h"
#include "core/telemetry/metric_text.h"
#include "core/telemetry/metrics_request.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace pganalytics::telemetry {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause(100);  // after the system had no more descriptors
constexpr std::size_t kDiscardedBytesMax = 1 << 20;

// What the connections share. All of it on the endpoint's thread.
struct Shared {
  const MetricsEndpoint::Text text;
  const EndpointLimits limits;
  std::size_t connections = 0;
};

// A message's body that several answers share.
struct SharedText {
  using value_type = std::shared_ptr<const std::string>;
  static std::uint64_t size(const value_type& text) { return text->size(); }
  class writer {
   public:
    using const_buffers_type = asio::const_buffer;
    template <bool isRequest, class Fields>
    writer(const http::header<isRequest, Fields>&, const value_type& text) : text_(*text) {}
    void init(error_code& error) { error = {}; }
    boost::optional<std::pair<const_buffers_type, bool>> get(error_code& error) {
      error = {};
      return {{const_buffers_type(text_.data(), text_.size()), false}};
    }

   private:
    const std::string& text_;
  };
};

using Answer = http::response<SharedText>;

std::shared_ptr<const std::string> shared(const char* text) { return std::make_shared<const std::string>(text); }

Answer answer_with(const Verdict& verdict, std::string_view type, std::shared_ptr<const std::string> body) {
  constexpr unsigned kHttp11 = 11;
  Answer answer(verdict.status, kHttp11);
  answer.set(http::field::content_type, boost::string_view(type.data(), type.size()));
  answer.set(http::field::cache_control, "no-store");
  answer.set("X-Content-Type-Options", "nosniff");
  if (verdict.status == http::status::method_not_allowed) answer.set(http::field::allow, "GET, HEAD");
  answer.content_length(body->size());
  answer.body() = verdict.head_only ? shared("") : std::move(body);
  answer.keep_alive(verdict.keep_alive);
  return answer;
}

Answer answer_to(const Verdict& verdict, const MetricsEndpoint::Text& text) {
  constexpr std::string_view kPlain = "text/plain; charset=utf-8";
  if (verdict.status != http::status::ok) return answer_with(verdict, kPlain, shared(verdict.why));
  try {
    return answer_with(verdict, kMetricContentType, text());
  } catch (const std::exception& failure) {
    log::error(std::string("the text of /metrics: ") + failure.what());
    const Verdict failed{http::status::internal_server_error, "the log says why\n", verdict.head_only, false};
    return answer_with(failed, kPlain, shared(failed.why));
  }
}

// One connection: requests answered one after the other. Lives as long as one of its operations is under way.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), buffer_(shared.limits.head_bytes), shared_(shared) {
    ++shared_.connections;
  }
  ~Session() { --shared_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace(shared_.limits.head_bytes);
    stream_.expires_after(std::chrono::milliseconds(shared_.limits.request_ms));
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (const auto verdict = judge(error, *self->parser_)) self->write(answer_to(*verdict, self->shared_.text));
    });
  }

 private:
  void write(Answer answer) {
    answer_ = std::move(answer);
    stream_.expires_after(std::chrono::milliseconds(shared_.limits.answer_ms));
    http::async_write(stream_, answer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return;
      if (self->answer_.keep_alive()) return self->read();
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      self->discard();
    });
  }

  // Until the other side closes: a socket that closes with bytes unread takes back the answer (RFC 9112, section 9.6).
  void discard() {
    stream_.async_read_some(asio::buffer(discarded_), [self = shared_from_this()](error_code error, std::size_t size) {
      self->discarded_bytes_ += size;
      if (!error && self->discarded_bytes_ < kDiscardedBytesMax) self->discard();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;  // its size is what really bounds a head: Beast looks at the parser's limit now and then
  std::optional<MetricsParser> parser_;
  Answer answer_;
  std::array<char, 4096> discarded_{};
  std::size_t discarded_bytes_ = 0;
  Shared& shared_;
};

}  // namespace

class MetricsEndpoint::Impl {
 public:
  Impl(Text text, EndpointLimits limits) : shared_{std::move(text), limits}, acceptor_(context_), pause_(context_) {}

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Outcome listen(const std::string& host, std::uint16_t port) {
    error_code error;
    const tcp::endpoint endpoint(asio::ip::make_address(host, error), port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Error{PGA_E_FAIL, "telemetry.listen",
                   "unable to listen on " + host + " port " + std::to_string(port) + " for /metrics: " + error.message(),
                   "Check the configuration's address to listen on, and that no other program has the port.", 0};
    }
    port_ = acceptor_.local_endpoint(error).port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  void post(std::function<void()> work) { asio::post(context_, std::move(work)); }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {  // of descriptors there are none just now
        pause_.expires_after(kAcceptPause);
        return pause_.async_wait([this](error_code) { accept(); });
      }
      // One too many is closed at once: whoever holds the others is told nothing by waiting.
      if (shared_.connections < shared_.limits.connections) std::make_shared<Session>(std::move(socket), shared_)->read();
      accept();
    });
  }

  Shared shared_;  // outlives the sessions that the context holds
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Expected<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::open(const std::string& host, std::uint16_t port, Text text,
                                                                 EndpointLimits limits) {
  auto impl = std::make_unique<Impl>(std::move(text), limits);
  PGA_CHECK(impl->listen(host, port));
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(impl)));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsEndpoint::~MetricsEndpoint() = default;

void MetricsEndpoint::post(std::function<void()> work) { impl_->post(std::move(work)); }
std::uint16_t MetricsEndpoint::port() const { return impl_->port(); }

}  // namespace pganalytics::telemetry
