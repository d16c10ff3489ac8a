// Runner: its worker's beginning and end, what an end that was not asked for means, and the plugin's quarantine.
#include <algorithm>
#include <csignal>
#include <utility>

#include "core/host/runner.h"
#include "core/host/worker_thread.h"
#include "core/instance/instance_name.h"

namespace pganalytics::host {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kLoadTimeoutMs = 10'000;

std::string release_hint(const std::string& name) {
  return "Once its cause is gone, `pganalytics plugin release " + name +
         "` ends the quarantine at once; so does another build of it.";
}

}  // namespace

void Runner::start_worker() {
  fault_.reset();
  config_in_force_.reset();
  config_refused_ = outdated_ = pinged_ = false;
  heard_ns_ = now_ns();
  sequence_ = 0;
  pings_unanswered_ = 0;
  if (auto same = check_unchanged(settings_.info); !same) return suffer({std::move(same).error(), false}, "was not started");
  auto schema = schema::Schema::parse(settings_.info.output_schema, schema::Schema::Purpose::kOutput);
  if (!schema) {
    failed_ = true;
    replacing_ = false;
    note_error(std::move(schema).error().while_doing("its output schema is no good"));
    return;
  }
  output_schema_.emplace(std::move(*schema));
  auto policy = policy_of(settings_);
  if (!policy) {
    note_error(std::move(policy).error());
    if (fall_back()) return;
    failed_ = true;
    replacing_ = false;
    policy_ = {};
    return;
  }
  policy_ = std::move(*policy);
  const bool in_thread = settings_.confinement.isolation == Isolation::kThread;
  if (in_thread && !is_first_party(settings_.info.id)) {
    failed_ = true;
    replacing_ = false;
    note_error({PGA_E_CONFIG, "plugin.isolation", "only plugins of pganalytics itself may run in a thread of the collector",
                "Remove isolation from " + instance::table_of(name()) + ": it gets a process of its own.", 0});
    return;
  }
  auto worker = in_thread ? WorkerHandle::start_thread(name()) : WorkerHandle::spawn(context_.options.worker_path, name());
  if (!worker) return suffer({std::move(worker).error(), false}, "could not be started");
  worker_.emplace(std::move(*worker));
  phase_ = Phase::kLoading;
  health_.pid = worker_->body().pid();
  ceilings_.emplace(name(), settings_.confinement, context_.options.cpu_window_ms);
  group_worker();
  worker_->send_message(FrameType::kLoad, 0,
                        load_message(settings_.info.path, settings_.info.id, policy_, worker_->body().pid()));
  expect_within(kLoadTimeoutMs, Force::kAbort);
}

// Before it is told what to load: none of the plugin's code has run.
void Runner::group_worker() {
  if (!context_.groups || worker_->body().pid() == 0) return;
  auto group = context_.groups->make(name(), settings_.confinement);
  const Outcome grouped = group ? (*group)->add(worker_->body().pid()) : Outcome(group.error());
  if (grouped) {
    group_ = std::move(*group);
  } else {
    log::write(log::Level::kWarn, "plugin " + name() + ": its worker is in no control group of its own", grouped.error());
  }
}

void Runner::end_worker() {
  worker_->send(FrameType::kShutdown);
  phase_ = Phase::kEnding;
  expect_within(context_.options.grace_ms, Force::kAbort);
}

void Runner::give_up(Fault fault) {
  if (!fault_) fault_ = std::move(fault);
  if (phase_ != Phase::kRunning) phase_ = Phase::kEnding;  // a run stays, to be reported when the process is reaped
  kill_worker();
}

void Runner::kill_worker() {
  if (!worker_) return;
  worker_->body().signal(SIGKILL);
  replacing_ = false;
  if (group_) group_->kill();
  if (killed_ns_ == 0) killed_ns_ = now_ns();
  expect_nothing();
}

void Runner::reap_worker() {
  // A worker that closed its socket is of no use, whether it is dying or only pretends to.
  if (worker_->closed() && killed_ns_ == 0 && phase_ != Phase::kEnding) kill_worker();
  const auto ending = worker_->body().reap();
  if (!ending) return;
  do read_frames();  // its last words, a result perhaps
  while (more_frames_ && !fault_);
  log_.output(worker_->output(now_ns()));
  log_.end_of_output();
  worker_.reset();
  group_.reset();
  worker_ended(*ending);
}

// SIGKILL cannot be refused, but a process that waits for a dead disk or is frozen does not take it. Nobody waits for it: its run
// has failed, and it keeps the place of the next worker until the kernel lets it go.
void Runner::watch_killed() {
  if (hung_ || killed_ns_ == 0 || now_ns() - killed_ns_ < 2 * context_.options.grace_ms * kNsPerMs) return;
  hung_ = true;
  phase_ = Phase::kEnding;
  if (!fault_) fault_ = Fault{{PGA_E_DEADLINE, "worker.hung", "its worker was killed and does not go", "", 0}, true};
  const pid_t pid = worker_->body().pid();
  log::error("plugin " + name() + ": its worker " +
             (pid != 0
                  ? std::to_string(pid) + " was killed and the kernel holds it (state D, or frozen)"
                  : "is a thread that does not return and cannot be killed: the collector is degraded until it is restarted") +
             "; no other one is started until it has gone");
  suffer(*fault_, "hangs");
}

// All workers are looked at together: the host wakes up once for them.
void Runner::watch_usage() {
  const std::int64_t interval_ns = context_.options.sample_ms * kNsPerMs;
  if (killed_ns_ != 0 || now_ns() < sample_ns_) return;
  sample_ns_ = (now_ns() / interval_ns + 1) * interval_ns;
  const pid_t pid = worker_->body().pid();
  if (pid == 0) return;  // what it takes is the host's own
  const bool with_children = (settings_.info.needs & PGA_NEED_EXEC) != 0;
  auto usage = usage_of(pid, with_children);
  if (!usage) return;  // it has just ended
  health_.rss_bytes = usage->rss_bytes;
  health_.cpu_ms = past_cpu_ms_ + usage->cpu_ms;
  // Of one process; its children's share would be missing.
  if (!with_children && ceilings_->near_memory_ceiling(usage->rss_bytes))
    usage->rss_bytes = proportional_bytes(pid).value_or(usage->rss_bytes);
  auto over = ceilings_->judge(*usage, now_ns());
  if (!over) return;
  ++health_.kills;
  fault(std::move(*over));
}

// In whichever phase: after this there is no worker, and a time for the next.
void Runner::worker_ended(const Ending& ending) {
  const bool in_order = phase_ == Phase::kEnding && !fault_;
  const bool forced = force_ == Force::kKill || killed_ns_ != 0;
  const bool suffered = std::exchange(hung_, false);
  phase_ = Phase::kDown;
  past_cpu_ms_ = health_.cpu_ms = std::max(health_.cpu_ms, past_cpu_ms_ + ending.cpu_ms);
  health_.pid = health_.rss_bytes = 0;
  killed_ns_ = 0;
  expect_nothing();
  if (suffered) {
    log::warn("plugin " + name() + ": the worker that hung has gone, it " + ending.how);
  } else if (in_order) {
    restart_ns_ = now_ns();
    // Its runs are over, nothing is lost; but whoever wrote destroy() should know.
    if (forced) {
      log::warn("plugin " + name() + ": its worker did not end in time and was killed");
    } else if (!ending.in_order) {
      log::warn("plugin " + name() + ": its worker " + ending.how + " when it was to end");
    }
  } else {
    suffer(fault_ ? *fault_ : Fault{{PGA_E_FAIL, "worker.died", "its worker " + ending.how, "", 0}, !is_rehearsing()},
           ending.how);
  }
  if (is_rehearsing()) end_rehearsal({});  // it was told to end: nobody is there to ask
  fault_.reset();
}

// What a worker lost, or as good as lost, means for its run and for the next worker.
void Runner::suffer(const Fault& fault, const std::string& how) {
  replacing_ = false;
  if (is_rehearsing()) end_rehearsal(fault.error);
  if (run_) {
    run_->report.failed = fault.error;
    finish_run({});
  } else if (requested_) {
    report_failure(*std::exchange(requested_, std::nullopt), fault.error);
  } else {
    note_error(fault.error);
  }
  before_.reset();
  const std::int64_t wait_ms = backoff_.next_ms();
  restart_ns_ = now_ns() + wait_ms * kNsPerMs;
  if (stopping_) return;
  if (fault.counts) {
    ++health_.faults;
    if (quarantine_.fault()) return begin_quarantine();
  }
  ++health_.restarts;
  log::warn("plugin " + name() + ": its worker " + how + "; next try in " + std::to_string(wait_ms) + " ms");
}

// Quarantine ---------------------------------------------------------------------------------------------------------------

void Runner::recall_quarantine() {
  if (std::exchange(recalled_, true)) return;
  auto record = context_.sink.quarantine_of(name());
  if (!record) {
    note_error(std::move(record).error().while_doing("whether it was quarantined cannot be read"));
    return;
  }
  kept_record_ = std::move(*record);
  if (!kept_record_) return;
  if (const Outcome known = quarantine_.recall(*kept_record_); !known) note_error(known.error());
  if (!quarantine_.in_force()) return;
  health_.last_error = "it failed too often before this start";
  log::write(log::Level::kWarn, "plugin " + name(), quarantined());
}

void Runner::keep_quarantine() {
  std::optional<std::string> record = quarantine_.record();
  if (record == kept_record_) return;
  const Outcome kept = context_.sink.keep_quarantine(name(), record);
  if (!kept) note_error(Error(kept.error()).while_doing("its quarantine will not outlive a restart"));
  kept_record_ = std::move(record);
}

void Runner::begin_quarantine() {
  ++health_.quarantines;
  backoff_.reset();
  log::write(log::Level::kError, "plugin " + name(), quarantined());
}

void Runner::end_quarantine() {
  if (!quarantine_.expire()) return;
  ++health_.restarts;
  restart_ns_ = now_ns();
  log::warn("plugin " + name() + ": its quarantine is over, it gets another worker");
}

Outcome Runner::release() {
  if (!quarantine_.release()) {
    return Error{PGA_E_FAIL, "plugin.not_quarantined", "plugin " + name() + " is not quarantined", "", 0};
  }
  ++health_.restarts;
  restart_ns_ = now_ns();
  keep_quarantine();
  log::info("plugin " + name() + ": released from quarantine");
  return {};
}

Error Runner::quarantined() const {
  return {PGA_E_FAIL, "plugin.quarantined",
          "it is quarantined until " + clock::format_rfc3339(quarantine_.until_unix_ns()) + ": " + health_.last_error,
          release_hint(name()), 0};
}

}  // namespace pganalytics::host
