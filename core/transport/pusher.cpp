#include "core/transport/pusher.h"

#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "core/log/log.h"

#include <algorithm>

namespace pganalytics::transport {
namespace {

using backoff::Backoff;
using spool::Batch;
using spool::BatchKey;
using spool::Lane;
using Verdict = PushAnswer::Verdict;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr int kTurns = 4;  // live, backlog, backlog, backlog
constexpr std::size_t kRefusedInARowMax = 3;
constexpr int kConflictsInARowMax = 3;
constexpr std::uint64_t kSensibleLimitBytes = 1024;  // what claims to take less is no server of ours

std::int64_t now_ms() { return clock::now_monotonic_ns() / kNsPerMs; }

// What Retry-After asks for, plus up to a fifth: all of the server's clients were told the same number.
std::int64_t spread(std::int64_t ms) { return ms <= 0 ? 0 : ms + Backoff(ms / 5, ms / 5, backoff::random_seed()).next_ms(); }

// Of one epoch the higher number; of another epoch whichever came last.
void keep_newer(BatchKey& newest, const BatchKey& key) {
  if (newest.epoch != key.epoch || newest.seq <= key.seq) newest = key;
}

std::string describe(const Batch& batch) {
  return "batch " + batch.key.text() + " of " + batch.plugin + " with " + std::to_string(batch.documents) + " documents";
}

}  // namespace

Pusher::Pusher(Destination& destination, spool::Outbox& outbox, PushOptions options, Events events)
    : destination_(destination),
      outbox_(outbox),
      options_(options),
      events_(std::move(events)),
      breaker_(options_.retry_first_ms, options_.retry_max_ms, backoff::random_seed()),
      unauthorized_(options_.unauthorized_first_ms, options_.unauthorized_max_ms, backoff::random_seed()),
      forbidden_(options_.forbidden_first_ms, options_.forbidden_max_ms, backoff::random_seed()),
      outbox_retry_(options_.retry_first_ms, options_.retry_max_ms, backoff::random_seed()) {}

void Pusher::wake() {
  if (idle_) due_ms_ = 0;
}

void Pusher::hurry() {
  if (!gone_ && !outbox_failed_) due_ms_ = 0;
}

void Pusher::welcome() {
  if (!gone_) return;
  gone_ = false;
  due_ms_ = 0;
}

void Pusher::push_next() {
  attempt();
  status_.held_batches = waitlist_.held();
  status_.breaker = transport::name_of(breaker_.state());
}

void Pusher::attempt() {
  if (gone_) return;
  for (const BatchKey& key : waitlist_.take_due(now_ms())) outbox_.release(key);
  auto next = choose();
  if (!next) return outbox_failed(next.error());
  outbox_failed_ = false;
  outbox_health_.well("the outbox");
  outbox_retry_.reset();
  idle_ = !next.value();
  if (idle_) return tell(waitlist_.next_due_ms(now_ms()), "");
  const Batch& batch = *next.value();
  due_ms_ = 0;
  if (known_too_large(batch)) return split(batch, nullptr);
  breaker_.calling();
  const PushAnswer answer = destination_.push(batch);
  if (answer.clock_offset_ms) status_.clock_offset_ms = answer.clock_offset_ms;
  const bool is_flow_control = answer.verdict == Verdict::kBusy && answer.retry_after_ms > 0;
  if (answer.verdict != Verdict::kAcknowledged && !is_flow_control) {
    ++status_.failures;
    status_.last_error = "push: " + answer.reason;
  }
  take_verdict(batch, answer);
  if (due_ms_ == 0) slow_down(answer);
}

// What was only about the batch lets the next one go at once, but not while one call at a time finds out about the server, nor
// before the time that the server asked for. For 400, 422 and 409 that time is the batch's own (waitlist_).
void Pusher::slow_down(const PushAnswer& answer) {
  const bool is_changed =
      answer.verdict == Verdict::kTooLarge || answer.verdict == Verdict::kKeyConflict || answer.verdict == Verdict::kPartStored;
  const std::int64_t asked_ms = is_changed ? spread(answer.retry_after_ms) : 0;
  if (breaker_.state() == Breaker::State::kHalfOpen) return wait(breaker_.failed(asked_ms), "", answer.reason);
  if (asked_ms > 0) wait(asked_ms, "", answer.reason);
}

// While the breaker is not closed the lanes take turns: should the batch of one of them be what the server fails at, the other
// one finds out that it is well.
Lane Pusher::lane_of_turn() const {
  if (options_.in_order) return Lane::kBacklog;
  if (breaker_.state() != Breaker::State::kClosed) return probe_backlog_ ? Lane::kBacklog : Lane::kLive;
  const bool live_is_late = now_ms() - live_at_ms_ >= options_.live_after_ms;
  return turn_ == 0 || live_is_late ? Lane::kLive : Lane::kBacklog;
}

Expected<std::optional<Batch>> Pusher::choose() {
  const Lane first = lane_of_turn();
  for (const Lane lane : {first, first == Lane::kLive ? Lane::kBacklog : Lane::kLive}) {
    if (options_.in_order && lane != Lane::kBacklog) break;
    PGA_TRY(auto batch, outbox_.next(lane));
    if (!batch || waitlist_.is_waiting(batch->key, now_ms())) continue;
    probe_backlog_ = lane == Lane::kLive;
    turn_ = lane == Lane::kLive ? 1 : (turn_ + 1) % kTurns;
    if (lane == Lane::kLive) live_at_ms_ = now_ms();
    return batch;
  }
  return std::optional<Batch>();
}

void Pusher::take_verdict(const Batch& batch, const PushAnswer& answer) {
  const std::int64_t asked_ms = spread(answer.retry_after_ms);
  switch (answer.verdict) {
    case Verdict::kAcknowledged: return acknowledged(batch, answer);
    case Verdict::kRefused: return refused(batch, answer);
    case Verdict::kKeyConflict: return key_conflict(batch, answer);
    case Verdict::kPartStored: return split(batch, &answer);
    case Verdict::kTooLarge: return too_large(batch, answer);
    case Verdict::kInProgress:
      return waitlist_.wait(batch.key, now_ms() + std::clamp(asked_ms, options_.in_progress_min_ms, options_.in_progress_max_ms),
                            false);
    case Verdict::kBusy:
      // Flow control while a backlog drains, not trouble. Without a time it is a failure like others.
      if (asked_ms > 0) return wait(asked_ms, "", answer.reason);
      return wait(breaker_.failed(), "busy", answer.reason);
    case Verdict::kRetry: return wait(breaker_.failed(asked_ms), "away", answer.reason);
    case Verdict::kRedirected: return open_breaker(breaker_.failed(asked_ms), "redirecting", answer);
    case Verdict::kNotThisApi:
      return open_breaker(std::max(asked_ms, spread(options_.retry_max_ms)), "not this API, or another version of it", answer);
    case Verdict::kUnauthorized:
      return open_breaker(unauthorized_.next_ms(std::max(asked_ms, spread(options_.unauthorized_first_ms))),
                          "not accepting our access token", answer);
    case Verdict::kForbidden:
      return open_breaker(forbidden_.next_ms(std::max(asked_ms, spread(options_.forbidden_first_ms))),
                          "not letting this collector in (revoked?)", answer);
    case Verdict::kGone: gone_ = true; return open_breaker(kNever, "without this collector: it was deleted there", answer);
  }
}

void Pusher::acknowledged(const Batch& batch, const PushAnswer& answer) {
  push_health_.well(destination_.url());
  breaker_.succeeded();
  unauthorized_.reset();
  forbidden_.reset();
  refused_in_a_row_.clear();
  conflicts_in_a_row_ = 0;
  if (!ended(batch.key, outbox_.acknowledge(batch.key))) return;
  ++status_.pushed_batches;
  ++(turn_ == 1 ? status_.live_batches : status_.backlog_batches);
  status_.duplicate_batches += answer.duplicate ? 1 : 0;
  status_.rejected_documents += answer.rejected;
  status_.pushed_bytes += batch.body.size();
  status_.last_push_unix_ns = clock::now_unix_ns();
  keep_newer(status_.newest_acknowledged, batch.key);
  status_.last_error.clear();
  tell(0, "");
  if (answer.rejected > 0) {
    log::warn("push: the server took " + describe(batch) + " but rejected " + std::to_string(answer.rejected) +
              " of its documents");
  }
  if (events_.schemas_wanted && !answer.schemas_wanted.empty()) events_.schemas_wanted(answer.schemas_wanted);
  events_.config_announced(answer.config_version);
}

// Whether so many different batches in a row were refused that it cannot be theirs.
bool Pusher::is_servers_fault(const Batch& batch) {
  if (refused_in_a_row_.size() < kRefusedInARowMax) refused_in_a_row_.insert(batch.key);
  return refused_in_a_row_.size() >= kRefusedInARowMax;
}

// First time: perhaps the server had a bad moment, and others go on meanwhile. Second time: the batch is poison, unless so many
// in a row are that the server must be at fault; then all are kept until it takes one again.
void Pusher::refused(const Batch& batch, const PushAnswer& answer) {
  keep_newer(status_.newest_refused, batch.key);
  if (status_.newest_refused == batch.key) status_.refused_reason = answer.reason;
  const int times = waitlist_.refused(batch.key);
  const std::int64_t delay_ms = std::max(spread(answer.retry_after_ms), options_.refused_retry_ms);
  const bool servers_fault = is_servers_fault(batch);
  if (!servers_fault && times > 1) return set_aside(batch, "poison", answer);
  put_off(batch.key, delay_ms);
  if (servers_fault) return open_breaker(breaker_.failed(spread(answer.retry_after_ms)), "refusing every batch", answer);
  log::warn("push: the server refuses " + describe(batch) + ": " + answer.reason + "; once more in " +
            std::to_string(delay_ms / 1000) + " s");
}

void Pusher::too_large(const Batch& batch, const PushAnswer& answer) {
  learn_limit(answer);
  split(batch, &answer);
}

void Pusher::learn_limit(const PushAnswer& answer) {
  if (answer.max_bytes < kSensibleLimitBytes) return;
  (answer.max_is_expanded ? expanded_limit_ : compressed_limit_) = {answer.max_bytes, now_ms()};
}

// A limit is believed for a while only, and never costs a document: one that is alone is sent and heard about.
bool Pusher::known_too_large(const Batch& batch) const {
  if (batch.documents < 2) return false;
  const auto exceeds = [this](const Limit& limit, std::uint64_t bytes) {
    return limit.bytes != 0 && bytes > limit.bytes && now_ms() - limit.learnt_ms < options_.limit_ms;
  };
  if (exceeds(compressed_limit_, batch.body.size())) return true;
  return exceeds(expanded_limit_, compression::expanded_bytes(batch.encoding, batch.body).value_or(0));
}

// answer: the 413, or that a part is stored; nullptr: the server was not even asked.
void Pusher::split(const Batch& batch, const PushAnswer* answer) {
  const auto done = outbox_.split(batch.key);
  if (!done) {
    if (done.error().status != PGA_E_TRANSIENT) return static_cast<void>(ended(batch.key, done.error()));
    return put_off(batch.key, options_.refused_retry_ms);  // nothing can be written now: the halves would not survive
  }
  if (done.value()) {
    waitlist_.ended(batch.key);
    ++status_.split_batches;
    return log::debug("push: " + describe(batch) + " goes in halves");
  }
  if (answer == nullptr) return put_off(batch.key, options_.refused_retry_ms);  // GCOVR_EXCL_LINE: only batches of two and more
  if (answer->verdict == Verdict::kPartStored) return key_conflict(batch, *answer);  // no part of this one: it has none
  if (!is_servers_fault(batch)) return set_aside(batch, "too_large", *answer);
  put_off(batch.key, options_.refused_retry_ms);
  open_breaker(breaker_.failed(spread(answer->retry_after_ms)), "refusing every batch as too large", *answer);
}

// This machine is a clone, or was set back to a snapshot: the same number, other content. Were it to happen again and again, the
// server's memory would be at fault and new numbers no cure.
void Pusher::key_conflict(const Batch& batch, const PushAnswer& answer) {
  if (++conflicts_in_a_row_ > kConflictsInARowMax) {
    put_off(batch.key, options_.refused_retry_ms);
    return open_breaker(breaker_.failed(spread(answer.retry_after_ms)), "knowing every batch with other content", answer);
  }
  const Outcome done = outbox_.rekey(batch.key);
  if (!done && done.error().status == PGA_E_TRANSIENT) return put_off(batch.key, options_.refused_retry_ms);
  if (!ended(batch.key, done)) return;
  ++status_.rekeyed_batches;
  log::warn("push: the server has other content under the key of " + describe(batch) +
            ": this machine is a copy of another, or was set back to an earlier state; the batch is sealed again in a new epoch");
}

void Pusher::set_aside(const Batch& batch, const std::string& reason, const PushAnswer& answer) {
  log::error("push: " + describe(batch) + " is set aside as " + reason + ": " + answer.reason);
  if (ended(batch.key, outbox_.set_aside(batch.key, reason))) {
    ++(reason == "poison" ? status_.poison_batches : status_.too_large_batches);
  }
}

// The others go on meanwhile. If the outbox cannot pass it over, its lane stops and the other lane goes on.
void Pusher::put_off(const BatchKey& key, std::int64_t delay_ms) {
  const Outcome held = outbox_.hold(key);
  if (!held && held.error().code == "spool.batch") return waitlist_.ended(key);
  waitlist_.wait(key, now_ms() + delay_ms, static_cast<bool>(held));
}

// True: the batch is no more, as was wanted or because a cap was faster.
bool Pusher::ended(const BatchKey& key, const Outcome& outcome) {
  if (!outcome && outcome.error().code != "spool.batch") {
    outbox_failed(outcome.error());
    return false;
  }
  waitlist_.ended(key);
  return true;
}

void Pusher::open_breaker(std::int64_t delay_ms, const std::string& state, const PushAnswer& answer) {
  breaker_.trip();
  wait(delay_ms, state, answer.reason);
}

// state: for the log; empty: not worth a line.
void Pusher::wait(std::int64_t delay_ms, const std::string& state, const std::string& reason) {
  const bool for_ever = delay_ms == kNever;
  if (!state.empty() && !events_.stopping()) push_health_.failing(destination_.url(), state, reason, for_ever ? 0 : delay_ms);
  tell(for_ever ? kNever : now_ms() + std::max<std::int64_t>(delay_ms, 1), state.empty() ? reason : state + ": " + reason);
}

void Pusher::outbox_failed(const Error& error) {
  outbox_failed_ = true;
  ++status_.failures;
  status_.last_error = "spool: " + error.message;
  const std::int64_t delay_ms = std::max<std::int64_t>(outbox_retry_.next_ms(), 1);
  outbox_health_.failing("the outbox", "failing", error.message, delay_ms);
  idle_ = false;
  tell(now_ms() + delay_ms, status_.last_error);
}

void Pusher::tell(std::int64_t due_ms, const std::string& reason) {
  due_ms_ = due_ms;
  status_.reason = reason;
  status_.next_try_unix_ns = gone_                     ? INT64_MAX
                             : reason.empty() || idle_ ? 0
                                                       : clock::now_unix_ns() + (due_ms - now_ms()) * kNsPerMs;
}

}  // namespace pganalytics::transport
