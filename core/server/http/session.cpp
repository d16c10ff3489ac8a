#include "core/server/http/session.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <limits>

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/http/answer_text.h"
#include "core/server/http/body_pace.h"
#include "core/server/http/client_address.h"
#include "core/server/http/request_head.h"
#include "core/server/http/tls.h"
#include "core/server/http/tls_stream.h"

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::int64_t kCloseTimeoutMs = 2'000;
constexpr std::size_t kDiscardBytes = 4u << 20;
constexpr std::size_t kUnparsedBytes = 64 * 1024;  // of chunk lines; a sender of such a line means no good
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Of this process and no other before it: a number, behind when the process began.
std::string request_id(std::uint64_t number) {
  static const std::string process = std::to_string(clock::now_unix_ns() / 1'000'000);
  return process + "-" + std::to_string(number);
}

std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

// Our words for a fault of ours; what happened is for the log.
Response internal_error(const char* what) {
  log::error(std::string("a request handler failed: ") + what);
  return Response::error(500, "internal", "the server failed to answer; its log says why");
}

// Exceptions of a handler end here: as a 500 and a line in the log.
template <class Result, class Work>
Result guarded(const Work& work) {
  try {
    return work();
  } catch (const std::exception& failure) {
    return internal_error(failure.what());
  } catch (...) {
    return internal_error("an unknown exception");
  }
}

class Session : public Connections::Member, public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, Connections::Place place, std::string remote_address, Shared& shared)
      : shared_(shared),
        limits_(shared.limits.get()),
        context_(shared.tls.get()),
        stream_(std::move(socket), context_.get()),
        timer_(stream_.socket().get_executor()),
        place_(std::move(place)),
        remote_address_(std::move(remote_address)) {}

  void start() {
    place_.attach(shared_from_this());
    waiting_ = true;
    allow(limits_->handshake_timeout_ms, Late::kClose);
    stream_.handshake(then(&Session::on_handshake));
  }

  void drain() override {
    asio::post(stream_.socket().get_executor(), [self = shared_from_this()] {
      self->draining_ = true;
      if (self->waiting_) self->stream_.close();
    });
  }

  void abort() override {
    asio::post(stream_.socket().get_executor(), [self = shared_from_this()] { self->stream_.close(); });
  }

 private:
  // --- time --------------------------------------------------------------------------------------------------------

  // What happens to a client that is too slow: the connection goes, or its operation ends and the client is told.
  enum class Late { kClose, kTell };

  void allow(std::int64_t time_ms, Late late) {
    late_ = late;
    timed_out_ = false;
    timer_.expires_after(std::chrono::milliseconds(std::max<std::int64_t>(time_ms, 0)));
    timer_.async_wait([weak = weak_from_this()](const error_code& cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self) self->on_timeout();
    });
  }

  void on_timeout() {
    if (timer_.expiry() > asio::steady_timer::clock_type::now()) return;  // it was set anew meanwhile
    timed_out_ = true;
    if (late_ == Late::kTell) {
      stream_.cancel();
    } else {
      stream_.close();
    }
  }

  void count(Refusal refusal) { shared_.refusals->count(refusal); }

  // The completion that keeps this session alive and goes on with `next`.
  TlsStream::Done then(void (Session::*next)(const error_code&)) {
    return [self = shared_from_this(), next](const error_code& error) { ((*self).*next)(error); };
  }

  // --- handshake ---------------------------------------------------------------------------------------------------

  void on_handshake(const error_code& error) {
    if (draining_) return;
    if (error) return count(Refusal::kHandshake);
    shared_.handshakes.fetch_add(1, std::memory_order_relaxed);
    peer_ = verified_peer(stream_.native_handle(), shared_.tls.get().get());  // the CAs may have changed since it began
    if (peer_) place_.belongs_to(peer_->collector_id);
    await_request();
  }

  // --- the header --------------------------------------------------------------------------------------------------

  void await_request() {
    if (draining_) return close();
    request_ = Request();
    request_.id = request_id(shared_.requests.fetch_add(1, std::memory_order_relaxed));
    begun_ns_ = 0;
    route_ = {};
    parser_.reset();
    accepted_ = Accepted();
    scanned_ = 0;
    if (!unparsed_.empty()) return begin_header();  // the client pipelines
    std::string().swap(unparsed_);
    std::string().swap(answer_);
    waiting_ = true;
    allow(authenticated_ ? limits_->idle_timeout_ms : limits_->stranger_timeout_ms, Late::kClose);
    stream_.read_some(unparsed_, then(&Session::on_first_bytes));
  }

  void on_first_bytes(const error_code& error) {
    if (error == asio::error::eof) return close();
    if (error) return;
    begin_header();
  }

  void begin_header() {
    waiting_ = false;
    allow(std::min(limits_->header_timeout_ms, limits_->request_timeout_ms), Late::kTell);
    scan_header();
  }

  void scan_header() {
    const HeadScan scan = scan_head(unparsed_, scanned_);
    const std::size_t size = scan.state == HeadScan::State::kWhole ? scan.size : unparsed_.size();
    const bool is_refused = scan.state == HeadScan::State::kRefused;
    if (is_refused || size > limits_->header_bytes) {
      return refuse(refusal_of_scan(scan, std::string_view(unparsed_).substr(0, size), *limits_));
    }
    if (scan.state == HeadScan::State::kWhole) return parse_header(scan.size);
    scanned_ = unparsed_.size();
    stream_.read_some(unparsed_, then(&Session::on_header_bytes));
  }

  void on_header_bytes(const error_code& error) {
    if (timed_out_) {
      return refuse({Response::error(408, "request_timeout", "the header took too long"), Refusal::kSlowHeader});
    }
    if (!error) scan_header();
  }

  void parse_header(std::size_t size) {
    timer_.cancel();
    begun_ns_ = clock::now_monotonic_ns();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_->header_bytes + 1));
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // the route decides, in read_body()
    error_code error;
    parser_->put(asio::buffer(unparsed_.data(), size), error);
    if (error) return refuse(refusal_of_parsing(error));
    unparsed_.erase(0, size);
    if (auto refusal = read_head(parser_->get(), *limits_, request_)) return refuse(*refusal);
    request_.remote_address = remote_address_;
    if (peer_) (clock::now_unix_ns() < peer_->not_after_unix_ns ? request_.peer : request_.expired_peer) = peer_;
    ask_handler();
  }

  // --- the handler -------------------------------------------------------------------------------------------------

  // Work has a slot while a worker has it or will have it, never while a client is waited for: slow clients would hold them all.
  bool take_slot(std::size_t bytes) {
    const std::size_t others = shared_.request_bytes_at_work.fetch_add(slot_bytes_ = bytes);
    const bool has_room = others == 0 || others + bytes <= limits_->request_bytes_at_work;
    if (shared_.requests_at_work.fetch_add(1) < limits_->requests_at_work && has_room) return true;
    give_slot_back();
    return false;
  }
  void give_slot_back() {
    shared_.requests_at_work.fetch_sub(1);
    shared_.request_bytes_at_work.fetch_sub(slot_bytes_);
  }

  static HeadRefusal too_many_bodies() {
    return {Response::error(503, "overloaded", "the server waits for as many bodies as it can"), Refusal::kBodies};
  }
  static HeadRefusal overloaded() {
    return {Response::error(503, "overloaded", "the server has more requests at work than it takes"), Refusal::kOverloaded};
  }

  void ask_handler() {
    if (!take_slot(0)) return put_off();
    const bool at_once = !has_body();
    asio::post(shared_.workers, [self = shared_from_this(), at_once] { self->admit_in_worker(at_once); });
  }

  [[nodiscard]] bool has_body() { return parser_->chunked() || parser_->content_length().value_or(0) > 0; }
  [[nodiscard]] bool frames_body() { return parser_->chunked() || parser_->content_length().has_value(); }

  // [worker] Ask the handler; a request without a body is served in the same go.
  void admit_in_worker(bool serve_at_once) {
    Admission admission = guarded<Admission>([&] { return shared_.handler(request_); });
    route_ = std::visit([](const auto& verdict) { return verdict.route; }, admission);
    auto* accepted = std::get_if<Accepted>(&admission);
    if (accepted != nullptr && accepted->authenticated && !count_as_member()) {
      admission = too_many_connections();
    } else if (accepted != nullptr && serve_at_once) {
      if (accepted->needs_body && !frames_body()) {
        admission = Response::error(411, "length_required", "this route needs a body with Content-Length or chunks");
      } else {
        admission = guarded<Response>([&] { return accepted->serve(request_); });
      }
    }
    asio::post(stream_.socket().get_executor(), [self = shared_from_this(), admission = std::move(admission)]() mutable {
      self->on_admission(std::move(admission));
    });
  }

  // [worker] From its first request on that shows who it is. False: its collector has enough connections.
  bool count_as_member() {
    authenticated_ = authenticated_ || place_.authenticated();
    return authenticated_;
  }

  // [worker]
  Response too_many_connections() {
    count(Refusal::kConnectionsOfCollector);
    Response refusal = Response::error(429, "too_many_connections", "this collector has as many connections as it may have");
    refusal.ends_connection = true;
    return refusal;
  }

  void on_admission(Admission admission) {
    give_slot_back();
    if (auto* response = std::get_if<Response>(&admission)) {
      must_close_ = must_close_ || has_body();
      return answer(*response);
    }
    accepted_ = std::get<Accepted>(std::move(admission));
    if (parser_->content_length().value_or(0) > accepted_.body_bytes) {
      return refuse({Response::body_too_large(accepted_.body_bytes), Refusal::kBodyTooLarge});
    }
    if (request_.header("expect").empty() || !unparsed_.empty()) return begin_body();
    if (!may_wait_for_body()) return refuse(too_many_bodies());
    allow(limits_->request_timeout_ms, Late::kClose);
    stream_.write(kContinue, then(&Session::on_continue_sent));
  }

  void on_continue_sent(const error_code& error) {
    if (!error) begin_body();
  }

  // --- the body ----------------------------------------------------------------------------------------------------

  void begin_body() {
    parser_->body_limit(accepted_.body_bytes);  // for chunks; a declared length was looked at
    parser_->eager(true);
    body_begun_ms_ = now_ms();
    body_bytes_ = 0;
    parse_body();
  }

  void parse_body() {
    while (!parser_->is_done() && !unparsed_.empty()) {
      error_code error;
      const std::size_t used = parser_->put(asio::buffer(unparsed_), error);
      unparsed_.erase(0, used);
      body_bytes_ += used;
      if (error == beast::http::error::need_more || (!error && used == 0)) break;
      if (error) return refuse_body(refusal_of_parsing(error));
    }
    if (parser_->is_done()) return serve();
    if (unparsed_.size() > kUnparsedBytes) return refuse_body(refusal_of_parsing(beast::http::error::buffer_overflow));
    if (!may_wait_for_body()) return refuse(too_many_bodies());
    const BodyPace pace(*limits_, body_begun_ms_);
    allow(pace.deadline_ms(body_bytes_ + unparsed_.size()) - now_ms(), Late::kTell);
    stream_.read_some(unparsed_, then(&Session::on_body_bytes));
  }

  // A body that came with its header needs no place.
  bool may_wait_for_body() {
    if (body_place_) return true;
    auto place = shared_.bodies.admit(authenticated_ ? std::nullopt : std::optional(network_of(remote_address_)));
    if (place) body_place_.emplace(std::move(*place));
    return body_place_.has_value();
  }

  void on_body_bytes(const error_code& error) {
    if (timed_out_) return refuse_body({Response::error(408, "request_timeout", "the body came too slowly"), Refusal::kSlowBody});
    if (!error) parse_body();
  }

  void refuse_body(HeadRefusal refusal) {
    body_place_.reset();
    if (refusal.reason == Refusal::kBodyTooLarge) refusal.response = Response::body_too_large(accepted_.body_bytes);
    refuse(refusal);
  }

  void serve() {
    timer_.cancel();
    body_place_.reset();
    if (!take_slot(parser_->get().body().size())) return put_off();
    request_.body = std::move(parser_->get().body());
    asio::post(shared_.workers, [self = shared_from_this()] { self->serve_in_worker(); });
  }

  // [worker]
  void serve_in_worker() {
    Response response = guarded<Response>([&] { return accepted_.serve(request_); });
    asio::post(stream_.socket().get_executor(), [self = shared_from_this(), response = std::move(response)]() {
      self->give_slot_back();
      self->answer(response);
    });
  }

  // --- the answer --------------------------------------------------------------------------------------------------

  // Answer a request of which something may still be on its way: the connection ends with it.
  void refuse(const HeadRefusal& refusal) {
    count(refusal.reason);
    must_close_ = true;
    answer(refusal.response);
  }

  // Too much to do. If the whole request is here the connection may stay: a client that comes again on a new one costs a
  // handshake more, which is what an overloaded server can bear least.
  void put_off() {
    const std::uint64_t to_come = parser_->is_done() ? 0 : parser_->content_length().value_or(0);
    const HeadRefusal refusal = overloaded();
    if (parser_->chunked() && !parser_->is_done()) return refuse(refusal);
    if (to_come > unparsed_.size()) return refuse(refusal);
    unparsed_.erase(0, to_come);
    count(refusal.reason);
    answer(refusal.response);
  }

  void tell(const Response& response) const {
    if (!shared_.observer) return;
    const std::int64_t took_ns = begun_ns_ == 0 ? 0 : clock::now_monotonic_ns() - begun_ns_;
    shared_.observer({request_, route_, response.status, took_ns});
  }

  void answer(const Response& response) {
    tell(response);
    const bool may_stay = parser_ && parser_->is_header_done() && parser_->keep_alive() && !response.ends_connection;
    must_close_ = must_close_ || draining_ || !may_stay;
    answer_ = answer_text(response, request_.id, request_.method == "HEAD", !must_close_, clock::now_unix_ns());
    allow(limits_->request_timeout_ms, Late::kClose);
    stream_.write(answer_, then(&Session::on_answered));
  }

  void on_answered(const error_code& error) {
    if (error) return;
    if (must_close_) return close();
    await_request();
  }

  // --- the end -----------------------------------------------------------------------------------------------------

  // Say goodbye in TLS, then read on for a while: closing a socket with unread bytes would reset the connection and could take
  // our last answer with it before the client has read it.
  void close() {
    waiting_ = true;
    allow(kCloseTimeoutMs, Late::kClose);
    stream_.say_goodbye(then(&Session::on_goodbye));
  }

  void on_goodbye(const error_code&) {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (!ignored) discard();
  }

  void discard() {
    stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const error_code& error) {
      if (!error) self->discard_what_is_there();
    });
  }

  void discard_what_is_there() {
    std::array<char, 4096> rubbish;
    error_code error;
    const std::size_t size = stream_.socket().read_some(asio::buffer(rubbish), error);
    discarded_bytes_ += size;
    const bool goes_on = !error || error == asio::error::would_block;
    if (goes_on && discarded_bytes_ < kDiscardBytes) discard();
  }

  Shared& shared_;
  const std::shared_ptr<const Limits> limits_;
  std::shared_ptr<SSL_CTX> context_;
  TlsStream stream_;
  asio::steady_timer timer_;
  Late late_ = Late::kClose;
  bool timed_out_ = false;
  Connections::Place place_;
  std::string remote_address_;
  std::optional<PeerCertificate> peer_;
  bool waiting_ = false;   // nothing would be lost by closing now
  bool draining_ = false;  // the server is stopping, or this connection's collector is revoked
  bool must_close_ = false;
  bool authenticated_ = false;

  std::string unparsed_;     // what came and was not taken by the parser yet
  std::size_t scanned_ = 0;  // of it
  std::optional<Parser> parser_;
  Request request_;
  std::string_view route_;     // as the handler said
  std::int64_t begun_ns_ = 0;  // when its header was whole; 0: it is not yet
  Accepted accepted_;
  std::size_t slot_bytes_ = 0;  // while it has a slot
  std::int64_t body_begun_ms_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::optional<Bodies::Place> body_place_;  // while it is waited for
  std::string answer_;
  std::size_t discarded_bytes_ = 0;
};

}  // namespace

void start_session(asio::ip::tcp::socket socket, Connections::Place place, std::string remote_address, Shared& shared) {
  std::make_shared<Session>(std::move(socket), std::move(place), std::move(remote_address), shared)->start();
}

}  // namespace pganalytics::server::http
