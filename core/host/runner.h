// The life of one plugin (one instance of it): its worker's phases, its ticks, its run, what a failure means for the next try.
//
//     down -> loading -> configuring -> ready <-> running
//      ^         |            |          |  ^       |         ready -> configuring -> ready   for a changed configuration
//      +---------+------------+----------+--+-------+         at a fault or the end of stopping, once the process is reaped
//
// Each wait for the worker has a deadline; when it passes, the run is cancelled, then the worker gets SIGABRT, then SIGKILL, a
// grace apart. Whatever else goes wrong in a worker (it crashes, exits, breaks the protocol) is a fault: the worker is
// killed, and started again after a backoff; a plugin with too many faults is quarantined. Never two processes of one plugin at a
// time: a worker that is killed and still there (the kernel holds it) is hung, its run is reported, and nothing follows it until
// it has gone.
//
// Here: one plugin. Not here: waiting for events and the set of plugins (supervisor.cpp). The supervisor's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backoff/backoff.h"
#include "core/host/credit.h"
#include "core/host/plugin_log.h"
#include "core/host/quarantine.h"
#include "core/host/resources.h"
#include "core/host/sandbox_policy.h"
#include "core/host/supervisor.h"
#include "core/host/worker_groups.h"
#include "core/host/worker_handle.h"
#include "core/schedule/ticker.h"
#include "core/schema/schema.h"

namespace pganalytics::host {

// What all runners share; outlives them.
struct RunnerContext {
  const SupervisorOptions& options;
  RunSink& sink;
  const clock::Clock& clock;
  CreditPool credit;
  std::optional<WorkerGroups> groups;  // none: nothing was delegated
  bool scheduling = true;
};

// A run between its first frame and its report.
struct RunUnderWay {
  RunUnderWay(CreditPool& pool, std::size_t window_bytes) : credit(pool, window_bytes) {}

  RunReport report;
  std::int64_t started_ns = 0;
  std::size_t bytes = 0;
  RunCredit credit;
};

class Runner {
 public:
  Runner(RunnerContext& context, PluginSettings settings);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Other settings for the same plugin; also brings back a runner that was told to stop.
  void update(PluginSettings settings);
  void request(std::uint32_t reason);
  // Would it take these settings' configuration? Nothing changes.
  void rehearse(const PluginSettings& settings);
  // Its answer, "yes" if it was not asked; nullopt: not yet.
  [[nodiscard]] std::optional<Outcome> rehearsed() const;
  // Cancel the run, shut the worker down, by `deadline_ns` at the latest.
  void stop(std::int64_t deadline_ns);
  // Now, without a word. It is reaped in a later turn, or by the destructor.
  void kill_worker();
  Outcome release();

  // Do what has come due or arrived. Never blocks.
  void turn();
  void add_to_poll(std::vector<pollfd>& fds) const;
  // Monotonic time of the next thing to do without an event.
  [[nodiscard]] std::int64_t next_due_ns() const;

  // It was told to stop and its worker is gone.
  [[nodiscard]] bool gone() const { return stopping_ && !worker_ && !requested_; }
  // Its worker was killed, and the kernel does not let it go.
  [[nodiscard]] bool hung() const { return hung_; }
  // Of the instance: what logs, health, state and quarantine go by.
  [[nodiscard]] const std::string& name() const { return settings_.instance; }
  [[nodiscard]] PluginHealth health() const;

 private:
  enum class Phase { kDown, kLoading, kConfiguring, kReady, kRunning, kEnding };
  // What happens when the deadline passes.
  enum class Force { kNone, kCancel, kAbort, kKill };

  // Why a worker was, or is to be, killed.
  struct Fault {
    Error error;
    bool counts = true;  // against the plugin: false for what it could not help
  };

  // Worker (runner_worker.cpp)
  void start_worker();
  void group_worker();
  void end_worker();  // in order: shutdown, and the process goes
  void fault(Error error) { give_up({std::move(error), true}); }
  void give_up(Fault fault);  // not in order: killed now, started again later
  void reap_worker();
  void watch_killed();
  void watch_usage();
  void worker_ended(const Ending& ending);
  void suffer(const Fault& fault, const std::string& how);

  // Quarantine (runner_worker.cpp)
  void recall_quarantine();
  void keep_quarantine();
  void end_quarantine();
  void begin_quarantine();
  [[nodiscard]] Error quarantined() const;

  // Frames
  void read_frames();
  Outcome take(const Frame& frame);
  Outcome take_hello(const Frame& frame);
  Outcome take_configured(const Frame& frame);
  Outcome take_document(const Frame& frame);
  Outcome take_result(const Frame& frame);
  Outcome take_log(const Frame& frame);
  Outcome take_pong();
  Outcome take_ask(const Frame& frame);
  [[nodiscard]] bool owes_credit() const;
  void give_credit();
  AnswerMessage answer(const AskMessage& question);

  // Configuration
  void configure(bool dry_run);
  void configured(bool dry_run, const Verdict& verdict);
  bool fall_back();
  void ask_rehearsal();
  void end_rehearsal(Outcome answer);
  [[nodiscard]] bool is_rehearsing() const { return rehearsal_ && rehearsal_->asked && !rehearsal_->answer; }

  // Runs
  void serve_request();
  void take_ticks();
  void start_ticks();
  [[nodiscard]] bool ticks_wait() const;
  void begin_run(std::uint32_t reason, std::int64_t scheduled_unix_ns);
  std::optional<Error> finish_run(std::map<std::string, std::optional<std::string>> state);
  void open_run(std::uint32_t reason, std::int64_t scheduled_unix_ns);
  void report_failure(std::uint32_t reason, Error error);
  void apply_retry_rule(const Error& error);

  // Time
  void expect_within(std::int64_t limit_ms, Force first);
  void expect_nothing() { force_ = Force::kNone; }
  void use_force();
  void check_liveness();
  void check_policy();
  [[nodiscard]] std::int64_t now_ns() const { return context_.clock.monotonic_ns(); }
  void note_error(const Error& error);
  [[nodiscard]] const char* state() const;

  RunnerContext& context_;
  PluginSettings settings_;
  std::optional<schema::Schema> output_schema_;
  PluginLog log_;
  backoff::Backoff backoff_;

  Phase phase_ = Phase::kDown;
  std::unique_ptr<WorkerGroup> group_;  // of this worker
  std::optional<WorkerHandle> worker_;
  WorkerPolicy policy_;  // what that worker was started with
  std::optional<Fault> fault_;
  std::int64_t restart_ns_ = 0;  // in kDown: when to start a worker
  std::int64_t killed_ns_ = 0;   // when the worker got SIGKILL
  bool hung_ = false;

  std::optional<Ceilings> ceilings_;  // of this worker
  std::int64_t sample_ns_ = 0;        // when to look at it next
  std::int64_t past_cpu_ms_ = 0;      // of the workers before

  Quarantine quarantine_;
  std::optional<std::string> kept_record_;  // what the sink has of it
  bool recalled_ = false;
  bool stopping_ = false;
  // The settings that worked, while others are tried that need another worker.
  std::optional<PluginSettings> before_;
  bool outdated_ = false;   // the plugin's file or what it may do changed: another worker at the next occasion
  bool replacing_ = false;  // that worker is on its way: ticks wait for it
  std::int64_t policy_check_ns_ = 0;

  Force force_ = Force::kNone;
  std::int64_t force_ns_ = 0;

  std::optional<std::string> config_in_force_;  // of this worker
  std::string configuring_json_;                // in kConfiguring: what was sent
  bool config_refused_ = false;                 // what is wanted was refused: wait for another
  bool failed_ = false;                         // for good, until the configuration changes

  // A configuration that may come.
  struct Rehearsal {
    std::string config_json;
    bool asked = false;
    std::optional<Outcome> answer;
  };
  std::optional<Rehearsal> rehearsal_;

  std::optional<schedule::Ticker> ticker_;
  std::optional<std::uint32_t> requested_;  // a run outside the schedule
  std::optional<RunUnderWay> run_;
  std::uint64_t sequence_ = 0;
  std::int64_t previous_unix_ns_ = 0;
  std::int64_t not_before_ns_ = 0;  // ticks before this are skipped: the plugin is being let alone
  int failures_in_row_ = 0;

  std::int64_t heard_ns_ = 0;  // last frame
  bool pinged_ = false;
  int pings_unanswered_ = 0;
  bool more_frames_ = false;  // may have been received and not taken yet
  PluginHealth health_;
};

}  // namespace pganalytics::host
