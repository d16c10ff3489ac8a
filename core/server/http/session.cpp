#include "core/server/http/session.h"

#include <array>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <limits>
#include <string>

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/http/target.h"
#include "core/server/http/tls.h"

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Verb = beast::http::verb;
using Parser = beast::http::request_parser<beast::http::string_body>;
using Message = beast::http::response<beast::http::string_body>;
using Serializer = beast::http::response_serializer<beast::http::string_body>;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::int64_t kCloseTimeoutMs = 2'000;
constexpr std::size_t kDiscardBytes = 4u << 20;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// The peer sent what is not HTTP, or more than it may; not: it went away or was too slow.
bool is_framing_error(const error_code& failure) {
  using beast::http::error;
  return failure.category() == beast::http::make_error_code(error::bad_chunk).category() && failure != error::end_of_stream &&
         failure != error::partial_message;
}

// What cannot be parsed as a request is answered as well as it can be.
Response framing_response(const error_code& failure, bool has_target, const Limits& limits) {
  using beast::http::error;
  if (failure == error::header_limit && !has_target) {
    return Response::error(414, "target_too_long", "the request target is too long");
  }
  if (failure == error::header_limit) {
    return Response::error(431, "headers_too_large",
                           "the header fields are larger than " + std::to_string(limits.header_bytes) + " bytes");
  }
  if (failure == error::body_limit) return Response::error(413, "body_too_large", "the body is too large for this route");
  return Response::error(400, "bad_request", "the request is not well-formed HTTP/1.1: " + failure.message());
}

// Our words for a fault of ours; what happened is for the log.
Response internal_error(const char* what) {
  log::error(std::string("a request handler failed: ") + what);
  return Response::error(500, "internal", "the server failed to answer; its log says why");
}

class Session : public Connections::Member, public std::enable_shared_from_this<Session> {
  beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }
  void expire_after(std::int64_t timeout_ms) { tcp().expires_after(std::chrono::milliseconds(timeout_ms)); }

  // The completion handler that keeps this session alive and goes on with `next`.
  template <class... Arguments>
  auto continue_with(void (Session::*next)(const error_code&, Arguments...)) {
    return [self = shared_from_this(), next](const error_code& error, Arguments... arguments) {
      ((*self).*next)(error, arguments...);
    };
  }

 public:
  Session(asio::ip::tcp::socket socket, Shared& shared)
      : shared_(shared), stream_(std::move(socket), *shared.tls.get()), buffer_(shared.limits.header_bytes + 64 * 1024) {
    error_code ignored;
    const auto peer = tcp().socket().remote_endpoint(ignored);
    auto address = peer.address();
    // An IPv6 listener sees IPv4 clients as ::ffff:a.b.c.d: one client, one name.
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    remote_address_ = address.to_string(ignored);
  }

  ~Session() override { shared_.connections.remove(this); }

  void start() {
    expire_after(shared_.limits.handshake_timeout_ms);
    waiting_ = true;
    stream_.async_handshake(asio::ssl::stream_base::server, continue_with(&Session::on_handshake));
  }

  void drain() override {
    asio::post(stream_.get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      if (self->waiting_) self->tcp().close();
    });
  }

  void abort() override {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->tcp().close(); });
  }

 private:
  void on_handshake(const error_code& error) {
    if (error || draining_) return;
    peer_ = verified_peer(stream_.native_handle());
    await_request();
  }

  // --- one request -------------------------------------------------------------------------------------------------

  void await_request() {
    if (draining_) return close();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.limits.header_bytes));
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // the route decides, in read_body()
    request_ = Request();
    if (buffer_.size() > 0) return read_header();  // the client pipelines
    waiting_ = true;
    expire_after(authenticated_ ? shared_.limits.idle_timeout_ms : shared_.limits.stranger_timeout_ms);
    stream_.async_read_some(buffer_.prepare(kReadBytes), continue_with(&Session::on_first_bytes));
  }

  void on_first_bytes(const error_code& error, std::size_t size) {
    if (error) return close_after(error);
    buffer_.commit(size);
    read_header();
  }

  void read_header() {
    waiting_ = false;
    expire_after(shared_.limits.request_timeout_ms);
    beast::http::async_read_header(stream_, buffer_, *parser_, continue_with(&Session::on_header));
  }

  void on_header(const error_code& error, std::size_t) {
    if (is_framing_error(error)) {
      return refuse(framing_response(error, !parser_->get().target().empty(), shared_.limits));
    }
    if (error) return;
    if (auto refusal = take_head()) return refuse(std::move(*refusal));
    if (shared_.requests_at_work.fetch_add(1) >= shared_.limits.requests_at_work) {
      shared_.requests_at_work.fetch_sub(1);
      return refuse(Response::error(503, "overloaded", "the server has more requests at work than it takes"));
    }
    const bool at_once = !has_body();
    asio::post(shared_.workers, [self = shared_from_this(), at_once] { self->admit_in_worker(at_once); });
  }

  // Fill request_ from the parsed header; a response if HTTP itself says no.
  std::optional<Response> take_head() {
    const auto& head = parser_->get();
    const auto target_text = view(head.target());
    request_.method = std::string(view(head.method_string()));
    if (target_text.size() > shared_.limits.target_bytes) {
      return Response::error(414, "target_too_long",
                             "the request target is longer than " + std::to_string(shared_.limits.target_bytes) + " bytes");
    }
    std::size_t fields = 0;
    for (const auto& field : head) {
      if (++fields > shared_.limits.header_fields) {
        return Response::error(431, "headers_too_many",
                               "more than " + std::to_string(shared_.limits.header_fields) + " header fields");
      }
      auto [place, is_new] = request_.headers.try_emplace(lower(view(field.name_string())), view(field.value()));
      if (!is_new) place->second.append(", ").append(view(field.value()));
    }
    auto target = parse_target(target_text);
    if (!target) return Response::error(400, "bad_target", target.error().message);
    request_.path = std::move(target->path);
    request_.query = std::move(target->query);
    request_.remote_address = remote_address_;
    if (peer_) (clock::now_unix_ns() < peer_->not_after_unix_ns ? request_.peer : request_.expired_peer) = peer_;
    return refusal_of_fields();
  }

  std::optional<Response> refusal_of_fields() {
    const auto& head = parser_->get();
    if (head.version() != 11 && head.version() != 10) return Response::error(505, "http_version", "this server speaks HTTP/1.1");
    if (head.version() == 11 && head.count(beast::http::field::host) != 1) {
      return Response::error(400, "bad_host", "a request has exactly one Host field");
    }
    if (head.count(beast::http::field::transfer_encoding) > 0 && lower(request_.header("transfer-encoding")) != "chunked") {
      return Response::error(400, "bad_transfer_encoding", "the only transfer coding is chunked");
    }
    if (!request_.header("expect").empty() && lower(request_.header("expect")) != "100-continue") {
      return Response::error(417, "bad_expectation", "the only expectation is 100-continue");
    }
    return std::nullopt;
  }

  [[nodiscard]] bool has_body() { return parser_->chunked() || parser_->content_length().value_or(0) > 0; }
  [[nodiscard]] bool frames_body() { return parser_->chunked() || parser_->content_length().has_value(); }

  // [worker] Ask the handler; a request without a body is served in the same go.
  void admit_in_worker(bool serve_at_once) {
    Admission admission = internal_guard<Admission>([&] { return shared_.handler(request_); });
    if (auto* accepted = std::get_if<Accepted>(&admission); accepted != nullptr && serve_at_once) {
      authenticated_by_request_ = accepted->authenticated;
      if (accepted->needs_body && !frames_body()) {
        admission = Response::error(411, "length_required", "this route needs a body with Content-Length or chunks");
      } else {
        admission = internal_guard<Response>([&] { return accepted->serve(request_); });
      }
    }
    asio::post(stream_.get_executor(), [self = shared_from_this(), admission = std::move(admission)]() mutable {
      self->on_admission(std::move(admission));
    });
  }

  void on_admission(Admission admission) {
    if (auto* response = std::get_if<Response>(&admission)) {
      shared_.requests_at_work.fetch_sub(1);
      return has_body() ? refuse(std::move(*response)) : answer(std::move(*response));
    }
    accepted_ = std::get<Accepted>(std::move(admission));
    authenticated_by_request_ = accepted_.authenticated;
    if (parser_->content_length().value_or(0) > accepted_.body_bytes) {
      shared_.requests_at_work.fetch_sub(1);
      return refuse(
          Response::error(413, "body_too_large", "the body is larger than " + std::to_string(accepted_.body_bytes) + " bytes"));
    }
    if (request_.header("expect").empty() || buffer_.size() > 0) return read_body();
    asio::async_write(stream_, asio::buffer(kContinue), continue_with(&Session::on_continue_sent));
  }

  void on_continue_sent(const error_code& error, std::size_t) {
    if (error) return give_up();
    read_body();
  }

  void read_body() {
    parser_->body_limit(accepted_.body_bytes);  // for chunks; a declared length was looked at
    beast::http::async_read(stream_, buffer_, *parser_, continue_with(&Session::on_body));
  }

  void on_body(const error_code& error, std::size_t) {
    if (is_framing_error(error)) {
      shared_.requests_at_work.fetch_sub(1);
      return refuse(framing_response(error, true, shared_.limits));
    }
    if (error) return give_up();
    request_.body = std::move(parser_->get().body());
    asio::post(shared_.workers, [self = shared_from_this()] { self->serve_in_worker(); });
  }

  // [worker]
  void serve_in_worker() {
    Response response = internal_guard<Response>([&] { return accepted_.serve(request_); });
    asio::post(stream_.get_executor(), [self = shared_from_this(), response = std::move(response)]() mutable {
      self->shared_.requests_at_work.fetch_sub(1);
      self->answer(std::move(response));
    });
  }

  // Exceptions of a handler end here: as a 500 and a line in the log.
  template <class Result, class Work>
  static Result internal_guard(const Work& work) {
    try {
      return work();
    } catch (const std::exception& failure) {
      return internal_error(failure.what());
    } catch (...) {
      return internal_error("an unknown exception");
    }
  }

  // --- the answer --------------------------------------------------------------------------------------------------

  // Answer a request of which something may still be on its way: the connection ends with it.
  void refuse(Response response) {
    must_close_ = true;
    answer(std::move(response));
  }

  void answer(Response response) {
    authenticated_ = authenticated_ || authenticated_by_request_;
    log::debug(remote_address_ + " " + request_.method + " " + request_.path + " " + std::to_string(response.status));
    const bool keep_alive = !must_close_ && !draining_ && parser_->is_header_done() && parser_->keep_alive();
    must_close_ = !keep_alive;
    message_ = Message(static_cast<beast::http::status>(response.status), 11);
    message_.set(beast::http::field::server, "pganalytics");
    for (const auto& [name, value] : response.headers) message_.set(name, value);
    const bool has_content = response.status != 204 && response.status != 304;
    if (has_content) {
      message_.set(beast::http::field::content_type, response.content_type);
      message_.set("X-Content-Type-Options", "nosniff");
      message_.content_length(response.body.size());
      message_.body() = std::move(response.body);
    }
    if (message_.count(beast::http::field::cache_control) == 0) message_.set(beast::http::field::cache_control, "no-store");
    message_.keep_alive(keep_alive);
    serializer_.emplace(message_);
    expire_after(shared_.limits.request_timeout_ms);
    if (request_.method == "HEAD" || !has_content) {
      beast::http::async_write_header(stream_, *serializer_, continue_with(&Session::on_answered));
    } else {
      beast::http::async_write(stream_, *serializer_, continue_with(&Session::on_answered));
    }
  }

  void on_answered(const error_code& error, std::size_t) {
    if (error) return;
    if (must_close_) return close();
    await_request();
  }

  // --- the end -----------------------------------------------------------------------------------------------------

  // The client went away or was too slow while its request was at work.
  void give_up() { shared_.requests_at_work.fetch_sub(1); }

  void close_after(const error_code& error) {
    if (error == asio::error::eof) close();
  }

  // Say goodbye in TLS, then read on for a while: closing a socket with unread bytes would reset the connection and could take
  // our last answer with it before the client has read it.
  void close() {
    waiting_ = true;
    expire_after(kCloseTimeoutMs);
    stream_.async_shutdown(continue_with(&Session::on_shutdown));
  }

  void on_shutdown(const error_code&) {
    error_code ignored;
    tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (!ignored) discard();
  }

  void discard() { tcp().async_read_some(asio::buffer(discarded_), continue_with(&Session::on_discarded)); }

  void on_discarded(const error_code& error, std::size_t size) {
    discarded_bytes_ += size;
    if (!error && discarded_bytes_ < kDiscardBytes) discard();
  }

  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

  Shared& shared_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  std::string remote_address_;
  std::optional<PeerCertificate> peer_;
  bool waiting_ = false;   // nothing would be lost by closing now
  bool draining_ = false;  // the server is stopping
  bool must_close_ = false;
  bool authenticated_ = false;
  bool authenticated_by_request_ = false;

  std::optional<Parser> parser_;
  Request request_;
  Accepted accepted_;
  Message message_;
  std::optional<Serializer> serializer_;

  std::array<char, 2048> discarded_{};
  std::size_t discarded_bytes_ = 0;
};

}  // namespace

void Connections::add(const std::shared_ptr<Member>& member) {
  const std::lock_guard lock(mutex_);
  members_.emplace(member.get(), member);
}

void Connections::remove(const Member* member) {
  const std::lock_guard lock(mutex_);
  members_.erase(member);
  if (members_.empty()) emptied_.notify_all();
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return members_.size();
}

void Connections::for_each(const std::function<void(Member&)>& visit) const {
  std::vector<std::shared_ptr<Member>> live;  // a visit may end a member, whose destructor wants the lock
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [address, member] : members_) {
      if (auto alive = member.lock()) live.push_back(std::move(alive));
    }
  }
  for (const auto& member : live) visit(*member);
}

bool Connections::wait_until_empty(std::int64_t timeout_ms) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return members_.empty(); });
}

void start_session(asio::ip::tcp::socket socket, Shared& shared) {
  const auto session = std::make_shared<Session>(std::move(socket), shared);
  shared.connections.add(session);
  session->start();
}

}  // namespace pganalytics::server::http
