// Runner: phases, configuration and time. Its worker's beginning and end are in runner_worker.cpp, runs in runner_runs.cpp, what
// arrives in frames in runner_frames.cpp.
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
constexpr std::int64_t kConfigureTimeoutMs = 30'000;
constexpr std::int64_t kHungPollMs = 1'000;  // the end of a worker is an event, that it does not come is none
constexpr std::int64_t kPolicyCheckMs = 60'000;
constexpr std::int64_t kReapPollMs = 10;         // where the kernel has no such event
constexpr std::int64_t kRestartFirstMs = 1'000;  // crash backoff
constexpr std::int64_t kRestartMaxMs = 60'000;

}  // namespace

Runner::Runner(RunnerContext& context, PluginSettings settings)
    : context_(context),
      settings_(std::move(settings)),
      log_(settings_.instance, context.clock),
      backoff_(kRestartFirstMs, kRestartMaxMs, backoff::random_seed()),
      restart_ns_(context.clock.monotonic_ns()),
      quarantine_(context.clock, settings_.info.build_id) {
  health_.plugin = settings_.instance;
}

void Runner::update(PluginSettings settings) {
  const bool other_file = settings.info.path != settings_.info.path || settings.info.build_id != settings_.info.build_id;
  const bool other_config = settings.config_json != settings_.config_json;
  const bool other_policy =
      needs_new_worker(policy_, settings) || settings.confinement.isolation != settings_.confinement.isolation;
  const bool other_ceiling = settings.confinement.cpu_max_percent != settings_.confinement.cpu_max_percent;
  // What is in force is known to work: it comes back if another worker cannot be had with what is wanted now.
  if (worker_ && config_in_force_ && !before_ && other_policy && !other_file) {
    before_ = std::move(settings_);
    before_->config_json = *config_in_force_;
  }
  if (other_file) before_.reset();
  settings_ = std::move(settings);
  if (ceilings_ && other_ceiling) ceilings_.emplace(name(), settings_.confinement, context_.options.cpu_window_ms);
  quarantine_.adopt_build(settings_.info.build_id);
  if (ticker_) ticker_->set_interval(settings_.interval_ms);
  if (other_file || other_config || other_policy) {
    failed_ = config_refused_ = false;
    failures_in_row_ = 0;
    not_before_ns_ = 0;
    if (phase_ == Phase::kDown) restart_ns_ = std::min(restart_ns_, now_ns());
  }
  outdated_ = outdated_ || other_file || other_policy;
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
  recall_quarantine();
  if (worker_) {
    worker_->flush();
    log_.output(worker_->output(now_ns()));
    if (worker_->patient(now_ns())) read_frames();
    give_credit();
  }
  if (worker_) reap_worker();
  if (worker_) use_force();
  if (worker_) check_liveness();
  if (worker_) watch_usage();
  if (worker_) watch_killed();
  end_quarantine();
  if (!worker_ && !stopping_ && !failed_ && !quarantine_.in_force() && now_ns() >= restart_ns_) start_worker();
  check_policy();
  if (phase_ == Phase::kReady && (stopping_ || outdated_)) {
    replacing_ = !stopping_ && (replacing_ || config_in_force_);
    end_worker();
  }
  if (phase_ == Phase::kReady && !config_refused_ && config_in_force_ != settings_.config_json)
    configure(config_in_force_.has_value());
  ask_rehearsal();
  serve_request();
  take_ticks();
  keep_quarantine();
}

// Configuration ------------------------------------------------------------------------------------------------------------

void Runner::configure(bool dry_run) {
  worker_->send_message(FrameType::kConfigure, 0, ConfigureMessage{dry_run ? 1U : 0U, settings_.config_json});
  phase_ = Phase::kConfiguring;
  configuring_json_ = settings_.config_json;
  // One that runs already has others waiting for it: its ticks, and the configuration that is to come back if this one is bad.
  expect_within(config_in_force_ ? context_.options.rehearsal_ms : kConfigureTimeoutMs, Force::kAbort);
}

void Runner::configured(bool dry_run, const Verdict& verdict) {
  expect_nothing();
  phase_ = Phase::kReady;
  if (is_rehearsing()) {
    if (verdict.status == PGA_OK) return end_rehearsal({});
    return end_rehearsal(Error{verdict.status, verdict.code, verdict.message, "", 0});
  }
  if (verdict.status == PGA_OK) {
    // Between the dry run and this there may have come yet another configuration: turn() sees it and starts over.
    if (dry_run && configuring_json_ == settings_.config_json) {
      configure(false);
    } else if (!dry_run) {
      config_in_force_ = configuring_json_;
      replacing_ = false;
      before_.reset();
      if (!ticker_) start_ticks();
    }
    return;
  }
  const Error error{verdict.status < 0 ? verdict.status : PGA_E_FAIL, verdict.code, "configuration refused: " + verdict.message,
                    "", verdict.retry_after_ms};
  replacing_ = false;
  note_error(error);
  if (configuring_json_ != settings_.config_json) return;
  if (!config_in_force_ && fall_back()) {
    outdated_ = replacing_ = true;
    return;
  }
  config_refused_ = true;
  if (config_in_force_) {
    log::warn("plugin " + name() + ": the configuration before stays in force");
    return;
  }
  const bool for_good = error.status == PGA_E_CONFIG || error.status == PGA_E_UNSUPPORTED;
  if (for_good) {
    failed_ = true;
    if (requested_) report_failure(*std::exchange(requested_, std::nullopt), error);
  } else {
    give_up({error, false});  // it answered, and said no: that is not a fault
  }
}

// Only a plugin that runs, in the file that it was started from, can be asked; another one will be when it starts.
void Runner::rehearse(const PluginSettings& settings) {
  const bool same_file = settings.info.path == settings_.info.path && settings.info.build_id == settings_.info.build_id;
  const bool asked = is_rehearsing();
  rehearsal_ = Rehearsal{settings.config_json, asked, std::nullopt};
  if (!asked && (!same_file || stopping_ || settings.config_json == settings_.config_json)) rehearsal_->answer = Outcome();
}

std::optional<Outcome> Runner::rehearsed() const { return rehearsal_ ? rehearsal_->answer : Outcome(); }

void Runner::ask_rehearsal() {
  if (!rehearsal_ || rehearsal_->asked || rehearsal_->answer) return;
  const bool starting = phase_ == Phase::kLoading || phase_ == Phase::kConfiguring;
  if (phase_ == Phase::kReady && config_in_force_ && !stopping_) {
    worker_->send_message(FrameType::kConfigure, 0, ConfigureMessage{1U, rehearsal_->config_json});
    phase_ = Phase::kConfiguring;
    configuring_json_ = rehearsal_->config_json;
    rehearsal_->asked = true;
    expect_within(context_.options.rehearsal_ms, Force::kAbort);
  } else if (phase_ != Phase::kRunning && !starting) {
    rehearsal_->answer = Outcome();
  }
}

void Runner::end_rehearsal(Outcome answer) {
  // Another question may have come while the plugin thought about this one.
  if (answer && rehearsal_->config_json != configuring_json_) {
    rehearsal_->asked = false;
  } else {
    rehearsal_->answer = std::move(answer);
  }
}

// Back to the settings that worked, of the same build. Asked once: they are not given up for themselves.
bool Runner::fall_back() {
  if (!before_) return false;
  log::warn("plugin " + name() + ": the configuration before comes back into force");
  settings_ = std::move(*std::exchange(before_, std::nullopt));
  if (ticker_) ticker_->set_interval(settings_.interval_ms);
  return true;
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
      if (phase_ == Phase::kEnding) log::warn("plugin " + name() + ": its worker did not end in time and was killed");
      if (!fault_ && phase_ != Phase::kEnding) {
        fault_ =
            Fault{{PGA_E_DEADLINE, "worker.hung", "its worker did not answer in time and was killed", "", 0}, !is_rehearsing()};
      }
      worker_->body().signal(SIGABRT);
      force_ = Force::kKill;
      return;
    case Force::kKill: kill_worker(); return;
    case Force::kNone: return;
  }
}

// A worker is asked whether it lives, also in the middle of a run: its reading thread answers, whatever the plugin does.
void Runner::check_liveness() {
  if (fault_ || phase_ == Phase::kEnding || now_ns() - heard_ns_ < context_.options.quiet_ms * kNsPerMs) return;
  if (pinged_) {
    ++health_.kills;
    fault({PGA_E_FAIL, "worker.silent", "its worker does not answer", "", 0});
    return;
  }
  worker_->send(FrameType::kPing);
  ++pings_unanswered_;
  pinged_ = true;
  heard_ns_ = now_ns();
}

std::int64_t Runner::next_due_ns() const {
  std::int64_t due_ns = kNever;
  if (worker_) {
    if (more_frames_ && !fault_ && !worker_->deaf()) return now_ns();
    if (owes_credit()) return now_ns();
    const bool going = killed_ns_ != 0 || worker_->closed() || fault_ || phase_ == Phase::kEnding;
    due_ns = going ? now_ns() + (worker_->body().end_fd() >= 0 ? kHungPollMs : kReapPollMs) * kNsPerMs
                   : std::min(sample_ns_, heard_ns_ + context_.options.quiet_ms * kNsPerMs);
    if (!going) due_ns = std::min(due_ns, worker_->listens_ns());
    if (force_ != Force::kNone) due_ns = std::min(due_ns, force_ns_);
  } else if (!stopping_ && !failed_) {
    due_ns = quarantine_.in_force() ? quarantine_.until_monotonic_ns() : restart_ns_;
  }
  if (ticker_ && context_.scheduling && !ticks_wait()) due_ns = std::min(due_ns, ticker_->next_monotonic_ns());
  return due_ns;
}

void Runner::add_to_poll(std::vector<pollfd>& fds) const {
  if (!worker_) return;
  // What a killed worker still says is read when it is reaped; until then its full socket is no event.
  if (killed_ns_ == 0) worker_->add_to_poll(fds);
  if (const int end_fd = worker_->body().end_fd(); end_fd >= 0) fds.push_back({end_fd, POLLIN, 0});
}

// A rule sticks to the file that was there: a renewed certificate, a rewritten resolv.conf, a new cluster's log folder need
// another worker. Each look costs as much as a start of one.
void Runner::check_policy() {
  if (phase_ != Phase::kReady || now_ns() < policy_check_ns_) return;
  policy_check_ns_ = now_ns() + kPolicyCheckMs * kNsPerMs;
  outdated_ = outdated_ || needs_new_worker(policy_, settings_);
}

void Runner::note_error(const Error& error) {
  // The same trouble again, run after run, is one line, until something else happens.
  const bool known = health_.last_error == error.message;
  health_.last_error = error.message;
  log::write(known ? log::Level::kDebug : log::Level::kError, "plugin " + name(), error);
}

PluginHealth Runner::health() const {
  PluginHealth health = health_;
  health.version = settings_.info.version;
  health.build_id = settings_.info.build_id;
  health.isolation = settings_.confinement.isolation;
  health.config_refused = config_refused_;
  health.state = state();
  health.quarantined_until_unix_ns = quarantine_.until_unix_ns();
  health.dropped_log_lines = log_.dropped();
  return health;
}

const char* Runner::state() const {
  if (hung_) return "hung";
  if (quarantine_.in_force()) return "quarantined";
  if (failed_) return "failed";
  switch (phase_) {
    case Phase::kDown: return health_.restarts > 0 ? "backing_off" : "starting";
    case Phase::kLoading:
    case Phase::kConfiguring: return config_in_force_ ? "idle" : "starting";
    case Phase::kReady:
    case Phase::kEnding: return "idle";
    case Phase::kRunning: return "running";
  }
  return "";
}

}  // namespace pganalytics::host
