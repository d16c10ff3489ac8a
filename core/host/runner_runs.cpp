// Runner: its runs. When one begins, how it ends, what that means for the next.
#include "core/host/runner.h"

#include <algorithm>
#include <utility>

namespace pganalytics::host {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kLetAloneMaxMs = 5 * 60'000;  // after failures in a row, and at most ten intervals

}  // namespace

void Runner::serve_request() {
  if (!requested_) return;
  if (stopping_) {
    report_failure(*std::exchange(requested_, std::nullopt), {PGA_E_FAIL, "host.stopping", "the host is stopping", "", 0});
  } else if (phase_ == Phase::kReady && config_in_force_) {
    begin_run(*std::exchange(requested_, std::nullopt), context_.clock.unix_ns());
  } else if (hung_) {
    report_failure(*std::exchange(requested_, std::nullopt), {PGA_E_DEADLINE, "worker.hung", health_.last_error, "", 0});
  } else if (quarantine_.in_force() && !worker_) {
    report_failure(*std::exchange(requested_, std::nullopt), quarantined());
  } else if (failed_) {
    report_failure(*std::exchange(requested_, std::nullopt), {PGA_E_CONFIG, "plugin.failed", health_.last_error, "", 0});
  }
}

void Runner::take_ticks() {
  if (stopping_) return;
  // Quarantined since before this start: its ticks are missed, and counted, all the same.
  if (!ticker_ && quarantine_.in_force()) start_ticks();
  if (!ticker_ || ticks_wait()) return;
  const auto tick = ticker_->take();
  if (!tick || !context_.scheduling) return;
  health_.skipped_ticks += tick->skipped;
  if (phase_ == Phase::kReady && config_in_force_ && !failed_ && now_ns() >= not_before_ns_) {
    begin_run(PGA_REASON_SCHEDULE, tick->scheduled_unix_ns);
  } else {
    ++health_.skipped_ticks;
  }
}

// While a new configuration is given, or the worker that takes it is on its way: a tick is not lost, only a moment late.
bool Runner::ticks_wait() const { return (replacing_ && !failed_) || (phase_ == Phase::kConfiguring && config_in_force_); }

void Runner::start_ticks() { ticker_.emplace(context_.clock, context_.options.jitter_seed, name(), settings_.interval_ms); }

void Runner::begin_run(std::uint32_t reason, std::int64_t scheduled_unix_ns) {
  open_run(reason, scheduled_unix_ns);
  run_->report.sequence = ++sequence_;
  phase_ = Phase::kRunning;
  expect_within(settings_.timeout_ms, Force::kCancel);
  worker_->send_message(
      FrameType::kCollect, sequence_,
      CollectMessage{reason, scheduled_unix_ns, previous_unix_ns_, settings_.timeout_ms * kNsPerMs, run_->credit.window_bytes()});
}

void Runner::open_run(std::uint32_t reason, std::int64_t scheduled_unix_ns) {
  const SupervisorOptions& options = context_.options;
  // A window has room for any document while a portion of it is not given back yet.
  run_.emplace(context_.credit, std::max(options.credit_window_bytes, 2 * options.document_bytes_max));
  run_->report.plugin = name();
  run_->report.reason = reason;
  run_->report.scheduled_unix_ns = scheduled_unix_ns;
  run_->started_ns = now_ns();
}

// run_->report.failed is set by whoever knows. What is returned is why nothing of the run was kept.
std::optional<Error> Runner::finish_run(std::map<std::string, std::optional<std::string>> state) {
  RunReport report = std::move(run_->report);
  report.duration_ms = (now_ns() - run_->started_ns) / kNsPerMs;
  run_.reset();
  if (report.failed) {
    report.documents.clear();
  } else {
    report.state = std::move(state);
  }
  const std::uint64_t sequence = report.sequence;
  const std::int64_t scheduled_unix_ns = report.scheduled_unix_ns;
  const std::size_t documents = report.documents.size();
  std::optional<Error> failed = report.failed;
  health_.last_run_unix_ns = scheduled_unix_ns;
  health_.last_duration_ms = report.duration_ms;
  health_.max_duration_ms = std::max(health_.max_duration_ms, report.duration_ms);
  health_.total_duration_ms += report.duration_ms;
  ++health_.runs;
  if (auto kept = context_.sink.run_finished(std::move(report)); !kept && !failed) {
    failed = std::move(kept).error().while_doing("the run could not be kept");
  }
  if (worker_) worker_->send_message(FrameType::kSettle, sequence, SettleMessage{failed ? 0U : 1U});
  if (failed) {
    ++health_.failed_runs;
    note_error(*failed);
    return failed;
  }
  health_.documents += documents;
  health_.last_error.clear();
  previous_unix_ns_ = scheduled_unix_ns;
  failures_in_row_ = 0;
  backoff_.reset();
  return std::nullopt;
}

// A requested run that never began.
void Runner::report_failure(std::uint32_t reason, Error error) {
  open_run(reason, context_.clock.unix_ns());
  run_->report.failed = std::move(error);
  finish_run({});
}

// What each status means for the next try (plugin.h). A dead worker has its own backoff.
void Runner::apply_retry_rule(const Error& error) {
  if (error.retry_after_ms > 0) not_before_ns_ = now_ns() + error.retry_after_ms * kNsPerMs;
  switch (error.status) {
    case PGA_E_CONFIG:
    case PGA_E_UNSUPPORTED: failed_ = true; return;
    case PGA_E_TRANSIENT:
    case PGA_E_DENIED:
    case PGA_E_DEADLINE:
    case PGA_E_FATAL: return;
    default: break;
  }
  // The first failure may be chance; from the second on, every other tick, every fourth...
  constexpr int kDoublingsMax = 4;
  const int doublings = std::min(failures_in_row_++, kDoublingsMax);
  if (doublings == 0) return;
  const std::int64_t most_ms = std::min(10 * settings_.interval_ms, std::max(kLetAloneMaxMs, settings_.interval_ms));
  const std::int64_t wait_ms = std::min(settings_.interval_ms << doublings, most_ms) - settings_.interval_ms / 2;
  not_before_ns_ = std::max(not_before_ns_, now_ns() + wait_ms * kNsPerMs);
}

}  // namespace pganalytics::host
