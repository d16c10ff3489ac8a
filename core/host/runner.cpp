// Runner: phases, processes, configuration and time. Runs are in runner_runs.cpp, what arrives in frames in runner_frames.cpp.
#include "core/host/runner.h"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <utility>

namespace pganalytics::host {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLoadTimeoutMs = 10'000;
constexpr std::int64_t kConfigureTimeoutMs = 30'000;
constexpr std::int64_t kReapPollMs = 10;         // a dead process' exit comes without an event
constexpr std::int64_t kRestartFirstMs = 1'000;  // crash backoff
constexpr std::int64_t kRestartMaxMs = 60'000;

}  // namespace

Runner::Runner(RunnerContext& context, PluginSettings settings)
    : context_(context),
      settings_(std::move(settings)),
      log_(settings_.info.id, context.clock),
      backoff_(kRestartFirstMs, kRestartMaxMs, backoff::random_seed()),
      restart_ns_(context.clock.monotonic_ns()) {
  health_.plugin = settings_.info.id;
}

void Runner::update(PluginSettings settings) {
  const bool other_file = settings.info.path != settings_.info.path || settings.info.build_id != settings_.info.build_id;
  const bool other_config = settings.config_json != settings_.config_json;
  settings_ = std::move(settings);
  if (ticker_) ticker_->set_interval(settings_.interval_ms);
  if (other_file || other_config) {
    failed_ = config_refused_ = false;
    failures_in_row_ = 0;
    not_before_ns_ = 0;
    if (phase_ == Phase::kDown) restart_ns_ = std::min(restart_ns_, now_ns());
  }
  outdated_ = outdated_ || other_file;
  if (std::exchange(stopping_, false) && phase_ == Phase::kDown) restart_ns_ = now_ns();
}

void Runner::request(std::uint32_t reason) { requested_ = reason; }

void Runner::stop(std::int64_t deadline_ns) {
  stopping_ = true;
  if (!worker_ || phase_ == Phase::kEnding) return;
  if (phase_ == Phase::kRunning) {
    worker_->send(FrameType::kCancel, run_->report.sequence);
    force_ = Force::kAbort;  // the shutdown follows the run's result
    force_ns_ = std::min(deadline_ns, now_ns() + context_.options.grace_ms * kNsPerMs);
  } else {
    end_worker();
    force_ns_ = std::min(force_ns_, deadline_ns);
  }
}

void Runner::turn() {
  if (worker_) {
    worker_->flush();
    log_.output(worker_->output());
    read_frames();
  }
  if (worker_) reap_worker();
  if (worker_) use_force();
  if (worker_) check_liveness();
  if (!worker_ && !stopping_ && !failed_ && now_ns() >= restart_ns_) start_worker();
  if (phase_ == Phase::kReady && (stopping_ || outdated_)) end_worker();
  if (phase_ == Phase::kReady && !config_refused_ && config_in_force_ != settings_.config_json)
    configure(config_in_force_.has_value());
  serve_request();
  take_ticks();
}

// Worker -------------------------------------------------------------------------------------------------------------------

void Runner::start_worker() {
  fault_.reset();
  config_in_force_.reset();
  config_refused_ = outdated_ = pinged_ = false;
  heard_ns_ = now_ns();
  sequence_ = 0;
  auto schema = schema::Schema::parse(settings_.info.output_schema, schema::Schema::Purpose::kOutput);
  if (!schema) {
    failed_ = true;
    note_error(std::move(schema).error().while_doing("its output schema is no good"));
    return;
  }
  output_schema_.emplace(std::move(*schema));
  auto worker = WorkerHandle::spawn(context_.options.worker_path, id());
  if (!worker) {
    fault_ = std::move(worker).error();
    worker_ended("could not be started");
    return;
  }
  worker_.emplace(std::move(*worker));
  phase_ = Phase::kLoading;
  health_.pid = worker_->process().pid();
  worker_->send_message(FrameType::kLoad, 0, LoadMessage{settings_.info.path, id()});
  expect_within(kLoadTimeoutMs, Force::kAbort);
}

void Runner::end_worker() {
  worker_->send(FrameType::kShutdown);
  phase_ = Phase::kEnding;
  expect_within(context_.options.grace_ms, Force::kAbort);
}

void Runner::fault(Error error) {
  if (!fault_) fault_ = std::move(error);
  if (phase_ != Phase::kRunning) phase_ = Phase::kEnding;  // a run stays, to be reported when the process is reaped
  worker_->process().signal(SIGKILL);
  expect_nothing();
}

void Runner::reap_worker() {
  // A worker that closed its socket is of no use, whether it is dying or only pretends to.
  if (worker_->closed() && !fault_ && phase_ != Phase::kEnding) {
    worker_->process().signal(SIGKILL);
    expect_nothing();
  }
  const auto how = worker_->process().reap();
  if (!how) return;
  do read_frames();  // its last words, a result perhaps
  while (more_frames_ && !fault_);
  log_.output(worker_->output());
  log_.end_of_output();
  worker_.reset();
  worker_ended(*how);
}

// In whichever phase: after this there is no worker, and a time for the next.
void Runner::worker_ended(const std::string& how) {
  const bool in_order = phase_ == Phase::kEnding && !fault_;
  phase_ = Phase::kDown;
  health_.pid = 0;
  expect_nothing();
  restart_ns_ = now_ns();
  if (in_order) return;
  const std::int64_t wait_ms = backoff_.next_ms();
  restart_ns_ += wait_ms * kNsPerMs;
  Error error =
      fault_ ? std::move(*std::exchange(fault_, std::nullopt)) : Error{PGA_E_FAIL, "worker.died", "its worker " + how, "", 0};
  if (run_) {
    run_->report.failed = error;
    finish_run({});
  } else if (requested_) {
    report_failure(*std::exchange(requested_, std::nullopt), error);
  } else {
    note_error(error);
  }
  if (stopping_) return;
  ++health_.restarts;
  log::write(log::Level::kWarn, "plugin " + id() + ": its worker " + how + "; next try in " + std::to_string(wait_ms) + " ms");
}

// Configuration ------------------------------------------------------------------------------------------------------------

void Runner::configure(bool dry_run) {
  worker_->send_message(FrameType::kConfigure, 0, ConfigureMessage{dry_run ? 1U : 0U, settings_.config_json});
  phase_ = Phase::kConfiguring;
  configuring_json_ = settings_.config_json;
  expect_within(kConfigureTimeoutMs, Force::kAbort);
}

void Runner::configured(bool dry_run, const Verdict& verdict) {
  expect_nothing();
  phase_ = Phase::kReady;
  if (verdict.status == PGA_OK) {
    // Between the dry run and this there may have come yet another configuration: turn() sees it and starts over.
    if (dry_run && configuring_json_ == settings_.config_json) {
      configure(false);
    } else if (!dry_run) {
      config_in_force_ = configuring_json_;
      if (!ticker_) ticker_.emplace(context_.clock, context_.options.jitter_seed, id(), settings_.interval_ms);
    }
    return;
  }
  const Error error{verdict.status < 0 ? verdict.status : PGA_E_FAIL, verdict.code, "configuration refused: " + verdict.message,
                    "", verdict.retry_after_ms};
  note_error(error);
  if (configuring_json_ != settings_.config_json) return;
  config_refused_ = true;
  if (config_in_force_) {
    log::warn("plugin " + id() + ": the configuration before stays in force");
    return;
  }
  const bool for_good = error.status == PGA_E_CONFIG || error.status == PGA_E_UNSUPPORTED;
  if (for_good) {
    failed_ = true;
    if (requested_) report_failure(*std::exchange(requested_, std::nullopt), error);
  } else {
    fault(error);
  }
}

// Time ---------------------------------------------------------------------------------------------------------------------

void Runner::expect_within(std::int64_t limit_ms, Force first) {
  force_ = first;
  force_ns_ = now_ns() + limit_ms * kNsPerMs;
}

void Runner::use_force() {
  if (force_ == Force::kNone || now_ns() < force_ns_) return;
  const Force now = force_;
  force_ns_ = now_ns() + context_.options.grace_ms * kNsPerMs;
  switch (now) {
    case Force::kCancel:
      worker_->send(FrameType::kCancel, run_->report.sequence);
      force_ = Force::kAbort;
      return;
    case Force::kAbort:
      ++health_.kills;
      if (!fault_ && phase_ != Phase::kEnding) {
        fault_ = Error{PGA_E_DEADLINE, "worker.hung", "its worker did not answer in time and was killed", "", 0};
      }
      worker_->process().signal(SIGABRT);
      force_ = Force::kKill;
      return;
    case Force::kKill:
      worker_->process().signal(SIGKILL);
      force_ = Force::kNone;
      return;
    case Force::kNone: return;
  }
}

// A worker is asked whether it lives, also in the middle of a run: its reading thread answers, whatever the plugin does.
void Runner::check_liveness() {
  if (fault_ || phase_ == Phase::kEnding || now_ns() - heard_ns_ < context_.options.quiet_ms * kNsPerMs) return;
  if (pinged_) {
    if (!fault_) ++health_.kills;
    fault({PGA_E_FAIL, "worker.silent", "its worker does not answer", "", 0});
    return;
  }
  worker_->send(FrameType::kPing);
  pinged_ = true;
  heard_ns_ = now_ns();
}

std::int64_t Runner::next_due_ns() const {
  if (worker_ && more_frames_ && !fault_) return now_ns();
  std::int64_t due_ns = kNever;
  if (worker_) {
    const bool going = worker_->closed() || fault_ || phase_ == Phase::kEnding;
    due_ns = going ? now_ns() + kReapPollMs * kNsPerMs : heard_ns_ + context_.options.quiet_ms * kNsPerMs;
    if (force_ != Force::kNone) due_ns = std::min(due_ns, force_ns_);
  } else if (!stopping_ && !failed_) {
    due_ns = restart_ns_;
  }
  if (ticker_ && context_.scheduling && phase_ != Phase::kConfiguring) due_ns = std::min(due_ns, ticker_->next_monotonic_ns());
  return due_ns;
}

void Runner::add_to_poll(std::vector<pollfd>& fds) const {
  if (worker_) worker_->add_to_poll(fds);
}

void Runner::note_error(const Error& error) {
  // The same trouble again, run after run, is one line, until something else happens.
  const bool known = health_.last_error == error.message;
  health_.last_error = error.message;
  log::write(known ? log::Level::kDebug : log::Level::kError, "plugin " + id(), error);
}

PluginHealth Runner::health() const {
  PluginHealth health = health_;
  if (failed_) {
    health.state = "failed";
  } else {
    switch (phase_) {
      case Phase::kDown: health.state = health_.restarts > 0 ? "backing_off" : "starting"; break;
      case Phase::kLoading:
      case Phase::kConfiguring: health.state = config_in_force_ ? "idle" : "starting"; break;
      case Phase::kReady:
      case Phase::kEnding: health.state = "idle"; break;
      case Phase::kRunning: health.state = "running"; break;
    }
  }
  return health;
}

}  // namespace pganalytics::host
