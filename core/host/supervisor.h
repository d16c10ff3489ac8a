// Runs plugins: one worker process each, ticks, deadlines, restarts. The heart of the collector.
//
// A Supervisor is single-threaded and poll-driven: the thread that constructs it (the collector's main thread, which lives as
// long as the process, because PR_SET_PDEATHSIG fires when the spawning THREAD ends) calls turn() again and again; all callbacks
// arrive inside turn() on that thread. It treats every worker as hostile: lengths before allocation, unknown frames are faults.
//
// Here: processes and time. Not here: what happens to documents (RunSink, implemented by core/collector over the spool).
#pragma once

#include "core/clock/clock.h"
#include "core/host/confinement.h"
#include "core/host/plugin_info.h"
#include "core/schema/document_limits.h"

#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::host {

// One enabled plugin as the operator configured it. Of one file there may be several, each an instance with a name of its own.
struct PluginSettings {
  PluginInfo info;
  std::string instance;                // name in the configuration: info.id, or "<info.id>@<name>"; no two are alike
  std::string config_json;             // valid against config_schema, defaults filled in
  std::set<std::string> secret_names;  // what secret_get may be asked for
  std::int64_t interval_ms = 0;
  std::int64_t timeout_ms = 0;  // <= interval
  Confinement confinement;
  std::vector<std::string> read_paths;    // files, folders and globs that the configuration names ("format": "path-read")
  std::vector<std::string> read_files;    // single files that it names otherwise: certificates and passwords of a conninfo
  std::vector<std::string> secret_paths;  // the host's own (state, configuration): never readable, whatever read_paths say
};

// What a plugin emitted and the host did not take.
struct RefusedDocument {
  std::string document;
  Error why;
};

// A run that ended, well or not.
struct RunReport {
  std::string plugin;          // PluginSettings::instance
  std::uint32_t reason = 0;    // PGA_REASON_*
  std::uint64_t sequence = 0;  // per worker process
  std::int64_t scheduled_unix_ns = 0;
  std::int64_t duration_ms = 0;
  std::optional<Error> failed;           // then documents and state are empty: a run is atomic
  std::vector<std::string> documents;    // JSON objects, valid against output_schema, with "type" and "timestamp"
  std::vector<RefusedDocument> refused;  // the first few
  std::map<std::string, std::optional<std::string>> state;  // staged: key -> value, nullopt deletes
};

// One plugin as it is now, and its counters since the host started; what `status` and "collector" documents show.
struct PluginHealth {
  std::string plugin;  // PluginSettings::instance
  std::string version, build_id;
  // "starting" "idle" "running" "backing_off" "failed" (configuration; waits for a new one) "quarantined" (faults; waits for
  // quarantined_until, a new build or release()) "hung" (killed, and the kernel has not let it go yet)
  std::string state;
  Isolation isolation = Isolation::kProcess;
  std::uint64_t runs = 0, failed_runs = 0, documents = 0, refused_documents = 0, skipped_ticks = 0;
  std::uint64_t faults = 0, restarts = 0, kills = 0, quarantines = 0, dropped_log_lines = 0;
  std::int64_t last_run_unix_ns = 0, last_duration_ms = 0, max_duration_ms = 0, total_duration_ms = 0;
  std::int64_t quarantined_until_unix_ns = 0;  // 0: it is not
  std::int64_t pid = 0;                        // 0: no worker
  std::int64_t rss_bytes = 0;                  // of the worker, sampled; 0: no worker
  std::int64_t cpu_ms = 0;                     // of all its workers so far
  bool config_refused = false;                 // what it was given last: it goes on with the one before, or is "failed"
  std::vector<std::string> sandbox_gaps;       // what of the sandbox is not in force, and why: "landlock: ..."
  std::string last_error;
};

// Implemented by the collector. All calls on the supervisor's thread, inside turn(). What they call a plugin is an instance, by
// its name in the configuration: each has state, secrets and a quarantine of its own.
class RunSink {
 public:
  virtual ~RunSink() = default;
  // Make the run durable (documents and state in one transaction) before returning. An error is reported, the run is lost and
  // the worker told that its staged state was dropped.
  virtual Outcome run_finished(RunReport&& report) = 0;
  // Committed state of a plugin; handed to a worker when it starts.
  virtual Expected<std::map<std::string, std::string>> state_of(const std::string& plugin) = 0;
  virtual Expected<std::optional<std::string>> secret(const std::string& plugin, const std::string& name) = 0;
  // What outlives the host of a plugin's faults: an opaque text of the supervisor's. A sink that keeps nothing gives every start
  // of the host a fresh chance.
  virtual Expected<std::optional<std::string>> quarantine_of(const std::string& /*plugin*/) {
    return std::optional<std::string>();
  }
  virtual Outcome keep_quarantine(const std::string& /*plugin*/, const std::optional<std::string>& /*record*/) { return {}; }
  // JSON scalars by key ("host.name", "collector.id", "collector.name", "product.version"). "plugin.instance" is the supervisor's
  // own to answer.
  virtual std::map<std::string, std::string> facts() = 0;
};

struct SupervisorOptions {
  std::string worker_path;    // libexec/pganalytics/pganalytics-worker
  std::string cgroup_folder;  // where workers get control groups; empty: in the host's own, if it was delegated one
  std::string jitter_seed;    // collector id: aligned ticks are shifted by a hash of it
  std::size_t document_bytes_max = schema::kDocumentBytes;
  std::size_t documents_per_run_max = 10'000;
  std::size_t run_bytes_max = 32u << 20;       // of all documents of a run: what the host may have to hold in memory per plugin
  std::size_t credit_window_bytes = 4u << 20;  // of documents of one run that may be on their way
  std::size_t held_bytes_max = 64u << 20;      // of documents of all runs that are under way; one of them may go on beyond it
  std::int64_t grace_ms = 2'000;               // cancel -> SIGABRT -> SIGKILL, each this far apart
  std::int64_t sample_ms = 2'000;              // how often a worker's memory and processor time are looked at
  std::int64_t cpu_window_ms = 60'000;         // what its processor time is averaged over
  std::int64_t rehearsal_ms = 10'000;          // for a running plugin's answer to a configuration
  std::int64_t quiet_ms = 10'000;  // a worker not heard of for so long is asked whether it lives, and given as long to answer
};

class Supervisor {
 public:
  Supervisor(SupervisorOptions options, RunSink& sink, const clock::Clock& clock);
  ~Supervisor();  // kills what is left, reaps it
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Make the set of running plugins equal to `wanted`: start new ones, stop absent ones, send changed configuration (dry run
  // first) and intervals to running ones without losing a tick. Errors per plugin are reported by health() and the log, never
  // stop the others.
  void apply(std::vector<PluginSettings> wanted);

  // Ask each running plugin whose configuration `wanted` would change whether it would take the new one: a dry run, between two
  // of its runs. Nothing changes, whatever becomes of it: a worker that dies or hangs over it is replaced, and that is not held
  // against the plugin. A later rehearse() takes the place of one that is not over.
  void rehearse(const std::vector<PluginSettings>& wanted);
  // Why plugins said no, by plugin, once all have answered; nullopt: not yet. One that does not run is not asked.
  [[nodiscard]] std::optional<std::map<std::string, Error>> rehearsal() const;

  // Run one plugin now, outside its schedule (`once`); its RunReport arrives as usual. PGA_E_NOTFOUND.
  Outcome request_run(const std::string& plugin, std::uint32_t reason);

  // The operator's word: what is held against a plugin is forgotten, a quarantine is over at once. PGA_E_NOTFOUND for a plugin
  // that is not enabled; code "plugin.not_quarantined" for one that was not.
  Outcome release(const std::string& plugin);

  // Wait for the next thing to do (a frame, a tick, a deadline, `wake_fd` readable), at most max_wait_ms, and do it.
  // wake_fd: an fd of the caller that ends the wait (signals); -1 = none. False: poll itself failed.
  bool turn(std::int64_t max_wait_ms, int wake_fd = -1);

  // With schedules off, only request_run() makes runs (`once`). On from the start.
  void set_scheduling(bool on);

  // Ask every worker to finish (running runs are cancelled), wait up to timeout_ms, kill the rest.
  void stop(std::int64_t timeout_ms);

  [[nodiscard]] std::vector<PluginHealth> health() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::host
