#include "core/transport/delivery.h"

#include "core/backoff/backoff.h"
#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/transport/schema_sender.h"
#include "core/web/call_health.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace pganalytics::transport {
namespace {

using backoff::Backoff;

constexpr std::int64_t kNever = Pusher::kNever;
constexpr std::int64_t kLongestWaitMs = 3'600'000;  // what the clock of a condition can count; then it is looked again

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

}  // namespace

class Delivery::Impl {
 public:
  // backend: the destination as what it is, with what follows from that; nullptr both: it is not ours.
  Impl(std::unique_ptr<Destination> destination, Backend* backend, ConfigSink* sink, spool::Outbox& outbox,
       DeliveryOptions options)
      : options_(std::move(options)),
        destination_(std::move(destination)),
        backend_(backend),
        sink_(sink),
        pusher_(*destination_, outbox, options_.push,
                {[this](std::uint64_t version) { config_announced(version); }, [this] { return stopping(); },
                 [this](const std::vector<std::string>& wanted) { schemas_.wanted(wanted); }}),
        schemas_(backend_, options_.schemas),
        config_retry_(options_.push.retry_first_ms, options_.push.retry_max_ms, backoff::random_seed()),
        report_retry_(options_.push.retry_first_ms, options_.push.retry_max_ms, backoff::random_seed()),
        etag_(options_.known_etag),
        config_version_(version_of(options_.known_etag)) {
    if (backend_ == nullptr) config_at_ms_ = kNever;
  }

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
  void config_announced(std::uint64_t version);
  void pull_config();
  void send_report();
  void renew_certificate();
  void took_config(ConfigAnswer&& answer);

  // error: config_error_ or renewal_error_.
  void failed(std::string& error, std::string text) {
    const std::lock_guard lock(mutex_);
    ++other_failures_;
    error = std::move(text);
  }
  [[nodiscard]] bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  [[nodiscard]] bool may_drain() const {
    const std::lock_guard lock(mutex_);
    return now_ms() < drain_until_ms_;
  }

  const DeliveryOptions options_;
  const std::unique_ptr<Destination> destination_;
  Backend* const backend_;
  ConfigSink* const sink_;

  // The delivery thread's own.
  Pusher pusher_;
  SchemaSender schemas_;
  Backoff config_retry_, report_retry_;
  std::int64_t config_at_ms_ = 0;
  std::int64_t report_at_ms_ = kNever;  // kNever: nothing to tell, until report_config()
  std::string etag_;
  std::uint64_t config_version_, announced_version_ = 0;
  web::CallHealth config_health_{"config pull"}, renewal_health_{"certificate renewal"}, report_health_{"configuration report"};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, stopping_ = false, ended_ = false;  // under mutex_
  std::int64_t drain_until_ms_ = 0;                        // under mutex_: if stopping_
  std::optional<ConfigReport> report_;                     // under mutex_: to be told
  bool report_is_new_ = false;                             // under mutex_
  PushStatus push_status_;                                 // under mutex_: a copy of pusher_'s
  std::int64_t last_config_unix_ns_ = 0;                   // under mutex_
  std::uint64_t other_failures_ = 0;                       // under mutex_: not of pushes
  std::string config_error_, renewal_error_;               // under mutex_; empty: the last such call went well
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
    drain_until_ms_ = now_ms() + drain_ms;
    changed_.notify_all();
    if (drain_ms > 0) changed_.wait_for(lock, std::chrono::milliseconds(drain_ms), [this] { return ended_; });
  }
  destination_->interrupt();
  thread_.join();
}

DeliveryStatus Delivery::Impl::status() const {
  const std::lock_guard lock(mutex_);
  DeliveryStatus status;
  static_cast<PushStatus&>(status) = push_status_;
  status.last_config_unix_ns = last_config_unix_ns_;
  status.failures += other_failures_;
  if (status.last_error.empty()) status.last_error = config_error_.empty() ? renewal_error_ : config_error_;
  return status;
}

void Delivery::Impl::run() {
  do {
    if (now_ms() >= config_at_ms_) {
      renew_certificate();
      pull_config();
    }
    if (now_ms() >= report_at_ms_) send_report();
    if (now_ms() >= pusher_.due_ms() && !stopping()) push_next();
    if (!stopping()) schemas_.send_next();
  } while (wait_until(std::min({config_at_ms_, report_at_ms_, pusher_.due_ms(), schemas_.due_ms()})));
  drain();
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

// False when it is time to stop. A wake is for the pusher to judge: it does not shorten a backoff.
bool Delivery::Impl::wait_until(std::int64_t due_ms) {
  std::unique_lock lock(mutex_);
  const auto due = [this] { return stopping_ || report_is_new_ || woken_; };
  if (const std::int64_t left_ms = std::min(due_ms - now_ms(), kLongestWaitMs); left_ms > 0) {
    changed_.wait_for(lock, std::chrono::milliseconds(left_ms), due);
  }
  if (std::exchange(woken_, false)) pusher_.wake();
  if (std::exchange(report_is_new_, false)) report_at_ms_ = 0;
  return !stopping_;
}

// The last chance before the thread ends: as long as the server takes them. When the time is over interrupt() ends a call, and
// nothing is asked of the outbox any more: that would wait for its disk.
void Delivery::Impl::drain() {
  pusher_.hurry();
  while (pusher_.due_ms() == 0 && may_drain()) push_next();
  send_report();
}

void Delivery::Impl::push_next() {
  pusher_.push_next();
  const std::lock_guard lock(mutex_);
  push_status_ = pusher_.status();
}

void Delivery::Impl::config_announced(std::uint64_t version) {
  if (version <= std::max(config_version_, announced_version_)) return;
  announced_version_ = version;
  config_at_ms_ = 0;
}

void Delivery::Impl::pull_config() {
  auto answer = backend_->pull_config(etag_);
  if (answer) {
    config_health_.well(backend_->url());
    config_retry_.reset();
    config_at_ms_ = now_ms() + jittered(options_.config_pull_interval_ms);
    if (answer.value().modified) took_config(std::move(answer).value());
    pusher_.welcome();
    const std::lock_guard lock(mutex_);
    last_config_unix_ns_ = clock::now_unix_ns();
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
  failed(config_error_, "config pull: " + error.message);
}

// A server that answers and does not want to know is not asked again: the next start tells it once more.
void Delivery::Impl::send_report() {
  report_at_ms_ = kNever;
  std::optional<ConfigReport> report;
  {
    const std::lock_guard lock(mutex_);
    report = report_;
  }
  if (!report || backend_ == nullptr) return;
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
  const auto renewed = backend_->renew_certificate_if_due();
  if (renewed) {
    renewal_health_.well(backend_->url());
    if (*renewed) pusher_.hurry();  // what a 401 made it wait for may be over
    const std::lock_guard lock(mutex_);
    renewal_error_.clear();
    return;
  }
  failed(renewal_error_, "certificate renewal: " + renewed.error().message);
  if (!stopping()) renewal_health_.failing(backend_->url(), "away", renewed.error().message, options_.config_pull_interval_ms);
}

void Delivery::Impl::took_config(ConfigAnswer&& answer) {
  config_version_ = answer.version;
  etag_ = answer.etag;
  sink_->config_pulled(std::move(answer.body), std::move(answer.etag));
}

Delivery::Delivery(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options) {
  Backend* const ours = backend.get();
  impl_ = std::make_unique<Impl>(std::move(backend), ours, &sink, outbox, std::move(options));
}
Delivery::Delivery(std::unique_ptr<Destination> destination, spool::Outbox& outbox, DeliveryOptions options)
    : impl_(std::make_unique<Impl>(std::move(destination), nullptr, nullptr, outbox, std::move(options))) {}
Delivery::~Delivery() { stop(0); }
void Delivery::start() { impl_->start(); }
void Delivery::wake() { impl_->wake(); }
void Delivery::report_config(ConfigReport report) { impl_->report_config(std::move(report)); }
void Delivery::stop(std::int64_t drain_ms) { impl_->stop(drain_ms); }
DeliveryStatus Delivery::status() const { return impl_->status(); }

}  // namespace pganalytics::transport
