#include "core/transport/delivery.h"

#include "core/backoff/backoff.h"
#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/transport/call_health.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

namespace pganalytics::transport {
namespace {

using backoff::Backoff;
using Verdict = PushAnswer::Verdict;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kRefusedInARowMax = 3;

std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

// What Retry-After asks for, plus up to a fifth: all of its clients were told the same number.
std::int64_t spread(std::int64_t ms) { return ms <= 0 ? 0 : ms + Backoff(ms / 5, ms / 5, backoff::random_seed()).next_ms(); }

// ms +- 10 %.
std::int64_t jittered(std::int64_t ms) { return ms - ms / 10 + Backoff(ms / 5, ms / 5, backoff::random_seed()).next_ms(); }

// "7" in quotes, as this API's entity tags are; 0 if it is another.
std::uint64_t version_of(const std::string& etag) {
  std::uint64_t version = 0;
  for (const char c : etag) {
    if (c == '"') continue;
    if (c < '0' || c > '9' || version > (UINT64_MAX - 9) / 10) return 0;
    version = version * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return version;
}

// Of one epoch the higher number; of another epoch whichever came last.
void keep_newer(spool::BatchKey& newest, const spool::BatchKey& key) {
  if (newest.epoch != key.epoch || newest.seq <= key.seq) newest = key;
}

}  // namespace

class Delivery::Impl {
 public:
  Impl(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options)
      : options_(std::move(options)),
        backend_(std::move(backend)),
        outbox_(outbox),
        sink_(sink),
        retry_(options_.retry_first_ms, options_.retry_max_ms, backoff::random_seed()),
        forbidden_(options_.forbidden_first_ms, options_.forbidden_max_ms, backoff::random_seed()),
        config_retry_(options_.retry_first_ms, options_.retry_max_ms, backoff::random_seed()),
        report_retry_(options_.retry_first_ms, options_.retry_max_ms, backoff::random_seed()),
        etag_(options_.known_etag),
        config_version_(version_of(options_.known_etag)) {}

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void wake();
  void report_config(ConfigReport&& report);
  void stop(std::int64_t drain_ms);
  [[nodiscard]] DeliveryStatus status() const;

 private:
  void run();
  bool wait_until(std::int64_t due_ms);
  void drain();

  void push_next();
  void take_verdict(const spool::Batch& batch, const PushAnswer& answer);
  void acknowledged(const spool::Batch& batch, const PushAnswer& answer);
  void refused(const spool::Batch& batch, const PushAnswer& answer);
  void set_aside(const spool::Batch& batch, const std::string& reason, const PushAnswer& answer);
  // state: for the log; empty: not worth a line.
  void try_later(std::int64_t delay_ms, const std::string& state, const std::string& reason);
  void outbox_failed(const Error& error);

  void pull_config();
  void send_report();
  void renew_certificate();
  void took_config(ConfigAnswer&& answer);

  void count_failure(std::string& error, std::string text) {
    const std::lock_guard lock(mutex_);
    ++status_.failures;
    error = std::move(text);
  }
  [[nodiscard]] bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  const DeliveryOptions options_;
  const std::unique_ptr<Backend> backend_;
  spool::Outbox& outbox_;
  ConfigSink& sink_;

  // The delivery thread's own.
  Backoff retry_, forbidden_, config_retry_, report_retry_;
  std::int64_t push_at_ms_ = 0;  // kNever: nothing waits, until wake()
  std::int64_t config_at_ms_ = 0;
  std::int64_t report_at_ms_ = kNever;  // kNever: nothing to tell, until report_config()
  std::string etag_;
  std::uint64_t config_version_, announced_version_ = 0;
  std::string refused_key_;  // the batch that was refused once and waits for its second try
  int refused_in_a_row_ = 0;
  CallHealth push_health_{"push"}, config_health_{"config pull"}, spool_health_{"spool"}, renewal_health_{"certificate renewal"},
      report_health_{"configuration report"};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, stopping_ = false, ended_ = false;  // under mutex_
  std::optional<ConfigReport> report_;                     // under mutex_: to be told
  bool report_is_new_ = false;                             // under mutex_
  DeliveryStatus status_;                                  // under mutex_, but for last_error
  std::string push_error_, config_error_;                  // under mutex_; empty: the last such call went well
  std::thread thread_;
};

void Delivery::Impl::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Delivery::Impl::report_config(ConfigReport&& report) {
  {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
    report_is_new_ = true;
  }
  changed_.notify_all();
}

void Delivery::Impl::stop(std::int64_t drain_ms) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    if (drain_ms > 0) changed_.wait_for(lock, std::chrono::milliseconds(drain_ms), [this] { return ended_; });
  }
  backend_->interrupt();
  thread_.join();
}

DeliveryStatus Delivery::Impl::status() const {
  const std::lock_guard lock(mutex_);
  DeliveryStatus status = status_;
  status.last_error = push_error_.empty() ? config_error_ : push_error_;
  return status;
}

void Delivery::Impl::run() {
  do {
    if (now_ms() >= config_at_ms_) {
      renew_certificate();
      pull_config();
    }
    if (now_ms() >= report_at_ms_) send_report();
    if (now_ms() >= push_at_ms_) push_next();
  } while (wait_until(std::min({config_at_ms_, report_at_ms_, push_at_ms_})));
  drain();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

// False when it is time to stop. A wake makes an idle lane due; it does not shorten a backoff.
bool Delivery::Impl::wait_until(std::int64_t due_ms) {
  std::unique_lock lock(mutex_);
  const auto due = [this] { return stopping_ || report_is_new_ || (woken_ && push_at_ms_ == kNever); };
  if (due_ms == kNever) {
    changed_.wait(lock, due);
  } else if (const std::int64_t left_ms = due_ms - now_ms(); left_ms > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(left_ms), due);
  }
  if (woken_ && push_at_ms_ == kNever) push_at_ms_ = 0;
  woken_ = false;
  if (std::exchange(report_is_new_, false)) report_at_ms_ = 0;
  return !stopping_;
}

// The last chance before the thread ends: as long as the server takes them. interrupt() ends it when the time is over.
void Delivery::Impl::drain() {
  do {
    push_at_ms_ = 0;
    push_next();
  } while (push_at_ms_ == 0);
  send_report();
}

// One batch, or kNever. On return push_at_ms_ says when to come again; 0 is at once.
void Delivery::Impl::push_next() {
  auto next = outbox_.next(spool::Lane::kBacklog);
  if (!next) return outbox_failed(next.error());
  spool_health_.well("the outbox");
  if (!next.value()) {
    push_at_ms_ = kNever;
    return;
  }
  const spool::Batch& batch = *next.value();
  const PushAnswer answer = backend_->push(batch);
  if (answer.verdict != Verdict::kAcknowledged) count_failure(push_error_, "push: " + answer.reason);
  take_verdict(batch, answer);
}

void Delivery::Impl::take_verdict(const spool::Batch& batch, const PushAnswer& answer) {
  const std::int64_t wait_ms = spread(answer.retry_after_ms);
  switch (answer.verdict) {
    case Verdict::kAcknowledged: return acknowledged(batch, answer);
    // 429 is flow control while a backlog drains, not trouble.
    case Verdict::kRetry: return try_later(retry_.next_ms(wait_ms), answer.http_status == 429 ? "" : "away", answer.reason);
    case Verdict::kForbidden:
      return try_later(forbidden_.next_ms(std::max(wait_ms, options_.forbidden_first_ms)), "not welcome", answer.reason);
    case Verdict::kTooLarge: return set_aside(batch, "too_large", answer);
    case Verdict::kRefused: return refused(batch, answer);
  }
}

void Delivery::Impl::acknowledged(const spool::Batch& batch, const PushAnswer& answer) {
  if (const Outcome forgotten = outbox_.acknowledge(batch.key); !forgotten) return outbox_failed(forgotten.error());
  push_health_.well(backend_->url());
  retry_.reset();
  forbidden_.reset();
  refused_in_a_row_ = 0;
  refused_key_.clear();
  push_at_ms_ = 0;
  if (answer.rejected > 0) {
    log::warn("push: the server took batch " + batch.key.text() + " of " + batch.plugin + " but rejected " +
              std::to_string(answer.rejected) + " of its " + std::to_string(batch.documents) + " documents");
  }
  {
    const std::lock_guard lock(mutex_);
    ++status_.pushed_batches;
    status_.pushed_bytes += batch.body.size();
    status_.last_push_unix_ns = clock::now_unix_ns();
    keep_newer(status_.newest_acknowledged, batch.key);
    push_error_.clear();
  }
  if (answer.config_version > std::max(config_version_, announced_version_)) {
    announced_version_ = answer.config_version;
    config_at_ms_ = 0;
  }
}

// First time: perhaps the server had a bad moment. Second time: the batch is poison, unless so many in a row are that the server
// must be at fault; then the rest is kept until it takes one again.
void Delivery::Impl::refused(const spool::Batch& batch, const PushAnswer& answer) {
  {
    const std::lock_guard lock(mutex_);
    keep_newer(status_.newest_refused, batch.key);
    if (status_.newest_refused == batch.key) status_.refused_reason = answer.reason;
  }
  const std::string key = batch.key.text();
  if (refused_key_ != key) {
    refused_key_ = key;
    ++refused_in_a_row_;
    if (refused_in_a_row_ < kRefusedInARowMax)
      return try_later(std::max(spread(answer.retry_after_ms), options_.refused_retry_ms), "refusing a batch", answer.reason);
  }
  if (refused_in_a_row_ < kRefusedInARowMax) return set_aside(batch, "poison", answer);
  try_later(std::max(retry_.next_ms(spread(answer.retry_after_ms)), options_.refused_retry_ms), "refusing every batch",
            answer.reason);
}

void Delivery::Impl::set_aside(const spool::Batch& batch, const std::string& reason, const PushAnswer& answer) {
  log::error("push: batch " + batch.key.text() + " of " + batch.plugin + " with " + std::to_string(batch.documents) +
             " documents is set aside as " + reason + ": " + answer.reason);
  if (const Outcome done = outbox_.set_aside(batch.key, reason); !done) return outbox_failed(done.error());
  push_at_ms_ = 0;
}

void Delivery::Impl::try_later(std::int64_t delay_ms, const std::string& state, const std::string& reason) {
  // An interrupted call while stopping says nothing about the server.
  if (!state.empty() && !stopping()) push_health_.failing(backend_->url(), state, reason, delay_ms);
  push_at_ms_ = now_ms() + std::max<std::int64_t>(delay_ms, 1);
}

void Delivery::Impl::outbox_failed(const Error& error) {
  count_failure(push_error_, "spool: " + error.message);
  const std::int64_t delay_ms = std::max<std::int64_t>(retry_.next_ms(), 1);
  spool_health_.failing("the outbox", "failing", error.message, delay_ms);
  push_at_ms_ = now_ms() + delay_ms;
}

void Delivery::Impl::pull_config() {
  auto answer = backend_->pull_config(etag_);
  if (answer) {
    config_health_.well(backend_->url());
    config_retry_.reset();
    config_at_ms_ = now_ms() + jittered(options_.config_pull_interval_ms);
    if (answer.value().modified) took_config(std::move(answer).value());
    const std::lock_guard lock(mutex_);
    status_.last_config_unix_ns = clock::now_unix_ns();
    config_error_.clear();
    return;
  }
  const Error& error = answer.error();
  const std::int64_t delay_ms = error.status == PGA_E_TRANSIENT
                                    ? std::min(config_retry_.next_ms(), jittered(options_.config_pull_interval_ms))
                                    : jittered(options_.config_pull_interval_ms);
  const std::int64_t wait_ms = std::max({delay_ms, spread(error.retry_after_ms), std::int64_t{1}});
  if (!stopping()) config_health_.failing(backend_->url(), "away", error.message, wait_ms);
  config_at_ms_ = now_ms() + wait_ms;
  count_failure(config_error_, "config pull: " + error.message);
}

// A server that answers and does not want to know is not asked again: the next start tells it once more.
void Delivery::Impl::send_report() {
  report_at_ms_ = kNever;
  std::optional<ConfigReport> report;
  {
    const std::lock_guard lock(mutex_);
    report = report_;
  }
  if (!report) return;
  const Outcome told = backend_->report_config(*report);
  if (!told && (told.error().status == PGA_E_TRANSIENT || told.error().status == PGA_E_DENIED)) {
    const std::int64_t wait_ms = report_retry_.next_ms(spread(told.error().retry_after_ms));
    if (!stopping()) report_health_.failing(backend_->url(), "away", told.error().message, wait_ms);
    report_at_ms_ = now_ms() + std::max<std::int64_t>(wait_ms, 1);
    return;
  }
  report_retry_.reset();
  if (told) {
    report_health_.well(backend_->url());
  } else {
    log::write(log::Level::kWarn, "the server was not told what became of its configuration", told.error());
  }
  const std::lock_guard lock(mutex_);
  if (!report_is_new_) report_.reset();
}

// Tried as often as the configuration is pulled: half of a certificate's life is thousands of times.
void Delivery::Impl::renew_certificate() {
  const Outcome renewed = backend_->renew_certificate_if_due();
  if (renewed) return renewal_health_.well(backend_->url());
  count_failure(config_error_, "certificate renewal: " + renewed.error().message);
  if (!stopping()) renewal_health_.failing(backend_->url(), "away", renewed.error().message, options_.config_pull_interval_ms);
}

void Delivery::Impl::took_config(ConfigAnswer&& answer) {
  config_version_ = answer.version;
  etag_ = answer.etag;
  sink_.config_pulled(std::move(answer.body), std::move(answer.etag));
}

Delivery::Delivery(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options)
    : impl_(std::make_unique<Impl>(std::move(backend), outbox, sink, std::move(options))) {}
Delivery::~Delivery() { stop(0); }
void Delivery::start() { impl_->start(); }
void Delivery::wake() { impl_->wake(); }
void Delivery::report_config(ConfigReport report) { impl_->report_config(std::move(report)); }
void Delivery::stop(std::int64_t drain_ms) { impl_->stop(drain_ms); }
DeliveryStatus Delivery::status() const { return impl_->status(); }

}  // namespace pganalytics::transport
