#include "core/exporters/scrape_endpoint.h"

#include "core/clock/clock.h"
#include "core/exporters/prometheus_text.h"
#include "core/log/log.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace pganalytics::exporters {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause(100);  // after the system had no more descriptors

std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

// What the connections share. All of it on the endpoint's thread.
struct Shared {
  Exposition exposition;
  const ScrapeLimits limits;
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

Answer answer_of(http::status status, std::string_view type, std::shared_ptr<const std::string> body, unsigned version) {
  Answer answer(status, version);
  answer.set(http::field::content_type, boost::string_view(type.data(), type.size()));
  answer.set(http::field::cache_control, "no-store");
  answer.set("X-Content-Type-Options", "nosniff");
  answer.body() = std::move(body);
  return answer;
}

Answer refusal(http::status status, const char* why, unsigned version) {
  Answer answer = answer_of(status, "text/plain; charset=utf-8", std::make_shared<const std::string>(why), version);
  if (status == http::status::method_not_allowed) answer.set(http::field::allow, "GET");
  answer.keep_alive(false);
  return answer;
}

// One connection: requests answered one after the other. Lives as long as one of its operations is under way.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) { ++shared_.connections; }
  ~Session() { --shared_.connections; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(shared_.limits.head_bytes);
    parser_->body_limit(std::uint64_t{0});
    stream_.expires_after(std::chrono::milliseconds(shared_.limits.request_ms));
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, std::size_t) { self->has_read(error); });
  }

 private:
  void has_read(error_code error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return write(refusal(http::status::request_header_fields_too_large, "the request's head is too large\n", 11));
    }
    if (error == http::error::body_limit) {
      return write(refusal(http::status::payload_too_large, "a scrape has no body\n", 11));
    }
    if (error == http::error::end_of_stream || error == beast::error::timeout || parser_ == boost::none ||
        (error && !parser_->got_some())) {
      return;
    }
    if (error) return write(refusal(http::status::bad_request, "this is no HTTP request\n", 11));
    write(answer_to(parser_->get()));
  }

  Answer answer_to(const http::request<http::empty_body>& request) {
    const boost::string_view target = request.target().substr(0, request.target().find('?'));
    if (target != "/metrics") return refusal(http::status::not_found, "there is /metrics here\n", request.version());
    if (request.method() != http::verb::get) {
      return refusal(http::status::method_not_allowed, "/metrics is read with GET\n", request.version());
    }
    Answer answer = answer_of(http::status::ok, kPrometheusContentType, shared_.exposition.text(now_ms()), request.version());
    answer.keep_alive(request.keep_alive());
    return answer;
  }

  void write(Answer answer) {
    answer_ = std::move(answer);
    answer_.prepare_payload();
    stream_.expires_after(std::chrono::milliseconds(shared_.limits.answer_ms));
    http::async_write(stream_, answer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error && self->answer_.keep_alive()) return self->read();
      error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{16384};
  boost::optional<http::request_parser<http::empty_body>> parser_;
  Answer answer_;
  Shared& shared_;
};

}  // namespace

class ScrapeEndpoint::Impl {
 public:
  Impl(ExpositionOptions options, ScrapeLimits limits)
      : shared_{Exposition(std::move(options)), limits, 0}, acceptor_(context_), pause_(context_) {}

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Outcome listen(const config::ListenAddress& address) {
    const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Error{PGA_E_FAIL, "exporters.listen",
                   "unable to listen on " + address.host + " port " + std::to_string(address.port) + ": " + error.message(),
                   "Check [prometheus] listen, and that no other program has the port.", 0};
    }
    port_ = acceptor_.local_endpoint(error).port();
    accept();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  void take(const std::string& instance, const std::vector<std::string>& documents) {
    std::size_t bytes = 0;
    for (const std::string& document : documents) bytes += document.size();
    if (queued_bytes_.fetch_add(bytes) + bytes > shared_.limits.queue_bytes) {
      queued_bytes_ -= bytes;
      return asio::post(context_, [this, count = documents.size()] { shared_.exposition.missed(count); });
    }
    asio::post(context_, [this, instance, documents, bytes] {
      shared_.exposition.take(instance, documents, now_ms());
      queued_bytes_ -= bytes;
    });
  }

  void use(ExpositionOptions options) {
    asio::post(context_, [this, options = std::move(options)]() mutable { shared_.exposition.use(std::move(options)); });
  }

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
  std::atomic<std::size_t> queued_bytes_{0};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Expected<std::unique_ptr<ScrapeEndpoint>> ScrapeEndpoint::open(const config::ListenAddress& address, ExpositionOptions options,
                                                               ScrapeLimits limits) {
  auto impl = std::make_unique<Impl>(std::move(options), limits);
  PGA_CHECK(impl->listen(address));
  return std::unique_ptr<ScrapeEndpoint>(new ScrapeEndpoint(std::move(impl)));
}

ScrapeEndpoint::ScrapeEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScrapeEndpoint::~ScrapeEndpoint() = default;

void ScrapeEndpoint::take(const std::string& instance, const std::vector<std::string>& documents) {
  impl_->take(instance, documents);
}
void ScrapeEndpoint::use(ExpositionOptions options) { impl_->use(std::move(options)); }
std::uint16_t ScrapeEndpoint::port() const { return impl_->port(); }

}  // namespace pganalytics::exporters
