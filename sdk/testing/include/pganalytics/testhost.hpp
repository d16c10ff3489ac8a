// pganalytics/testhost.hpp - a host to test a collector against, alone and in one process.
//
//     pganalytics::testing::FakeHost host;
//     host.secrets["password"] = "hunter2";
//     auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
//     REQUIRE(instance.configure(R"({"paths":["/"]})"));
//     auto result = instance.collect();
//     CHECK(result.status == PGA_OK);
//     CHECK(result.documents.size() == 1);
//     CHECK(host.violations.empty());
//
// It keeps the promises of plugin.h as the real host does: state is staged in a run and committed only if the run succeeds; a
// document must be a JSON object with "type" and "timestamp", valid against the plugin's output_schema, or the run fails;
// at the deadline the run is cancelled. What it does not do: kill a plugin that hangs, sandbox, schedule, validate the
// configuration it is given. Link pganalytics::testhost. C programs: pganalytics/testhost.h.
//
// Memory is as unkind as plugin.h allows: tables are read-only, each table, struct and text ends where an inaccessible page
// begins, and what was lent for a call is overwritten with 0xA5 when the call has returned. A plugin that reads on, writes or
// keeps a borrow crashes here, or emits 0xA5, instead of in production. What the plugin itself hands over (documents, its tables)
// lies in its own memory: build it with a sanitizer to watch that.
//
// Time. Virtual, once set_time() was called: the nominal times of a run, and when the host cancels it. Never virtual: the clocks
// a plugin reads itself; so deadline_mono_ns is on the real CLOCK_MONOTONIC, `timeout` after collect() began, always.
//
// Threads: a FakeHost and its instances belong to one thread; Instance::cancel(), Instance::collecting(), FakeHost::advance() and
// whatever plugin.h calls [any thread] may come from others. A FakeHost outlives its instances.
#ifndef PGANALYTICS_TESTHOST_HPP
#define PGANALYTICS_TESTHOST_HPP

#include <pganalytics/plugin.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

// Nothing below is part of the ABI, so padding is nobody's concern, whatever an author's own flags say.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpadded"

namespace pganalytics::testing {

struct LogLine {
  std::uint32_t level = 0;  // PGA_LOG_*
  std::string message;
};

// What a plugin may be refused. The numbers are those of PGA_TESTHOST_* in testhost.h.
enum class Service : std::uint32_t { kEmit = 0, kStateGet = 1, kStateSet = 2, kSecretGet = 3, kInfoGet = 4 };

// "The `call`-th call of `service` answers `status`", counted from 1 within each create(), configure() and collect().
//
// The call then does nothing else. PGA_E_TOOSMALL from a getter asks for one byte more than there was room, as for a value that
// has just grown: a plugin that tries again with that much room succeeds, unless the fault is lasting.
struct Fault {
  Service service = Service::kEmit;
  std::uint32_t call = 1;
  pga_status status = PGA_E_FAIL;
  bool lasting = false;  // every later call too
};

// How large the tables are that the host gives out, and so what PGA_HAS() says of them.
enum class Tables {
  kCurrent,  // as this header has them
  kOldest,   // as a host of ABI 1.0 made them, abi_minor 0: what was appended since is an inaccessible page
  kFuture    // as a later host may: 64 bytes of 0xA5 after what this header knows
};

struct CollectOptions {
  std::chrono::milliseconds timeout{10'000};  // to the deadline; 0 or less: it has passed, the run starts out cancelled
  std::int64_t scheduled_unix_ns = 0;         // 0: now, by the virtual clock if there is one
  std::uint32_t reason = PGA_REASON_SCHEDULE;
  std::optional<std::int64_t> previous_unix_ns = std::nullopt;  // absent: the last run that was committed
  bool cancel_fd = true;                                        // false: the host has none, run->cancel_fd is -1
  bool commit = true;                // false: as if the host died after collect(): staged state is lost
  std::uint32_t cancel_at_emit = 0;  // the n-th emit() finds the run cancelled; 0: none does
  std::optional<std::chrono::nanoseconds> cancel_after = std::nullopt;  // from another thread, after this much real time
  std::chrono::nanoseconds emit_takes{0};  // what each emit() adds to the virtual clock: a host that is slow
};

// What came of one collect(), as the real host would judge it.
struct CollectResult {
  pga_status status = PGA_OK;
  std::string error_code, error_message;  // what the plugin said, or "document.invalid" and what the host found wrong
  std::uint32_t retry_after_ms = 0;
  std::vector<std::string> documents;  // as emitted, in order; kept for the test's eyes even when the run failed

  pga_status returned = PGA_OK;              // by collect() itself, before the host judged the documents
  std::uint32_t emits = 0;                   // calls of emit()
  std::uint32_t emits_after_error = 0;       // of them, how many came after the first that failed
  std::uint32_t state_sets = 0;              // calls of state_set()
  bool cancelled = false;                    // before collect() returned
  std::chrono::nanoseconds took{0};          // real time in collect()
  std::chrono::nanoseconds after_cancel{0};  // of it, from the cancel on
};

class FakeHost;

// One instance of a plugin. Its destructor calls the plugin's destroy().
class Instance {
 public:
  Instance(Instance&&) noexcept;
  Instance& operator=(Instance&&) noexcept;
  ~Instance();

  // Whether the plugin's create() succeeded. If not, every call below returns its error.
  [[nodiscard]] const Outcome& created() const;

  Outcome configure(std::string_view config_json, bool dry_run = false);
  CollectResult collect(const CollectOptions& options = {});
  // [any thread] Cancel the run in progress; with none, the next one starts out cancelled.
  void cancel();
  // [any thread] Is the plugin inside collect()?
  [[nodiscard]] bool collecting() const;
  // The plugin's get_extension(); NULL where it has none.
  [[nodiscard]] const void* extension(const char* id);

 private:
  friend class FakeHost;
  class Impl;
  explicit Instance(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class FakeHost {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;
  ~FakeHost();

  std::map<std::string, std::string> secrets;
  // JSON scalars; "host.name", "collector.id"... are there from the start, "plugin.instance" follows from create()'s `instance`
  // unless it is set here.
  std::map<std::string, std::string> facts;
  std::map<std::string, std::string> state;  // committed
  std::map<std::string, const void*> extensions;
  std::vector<LogLine> log;  // read it between calls
  std::uint32_t log_level = PGA_LOG_DEBUG;
  std::uint32_t max_document_bytes = 1u << 20;

  std::vector<Fault> faults;  // change it between calls
  // What plugin.h forbids and the host saw, a sentence each: a service called on a wrong thread or outside a call, cancel_fd read
  // or closed, an exception across the ABI, a text without its NUL. Read it between calls.
  std::vector<std::string> violations;

  // Taken over by create(), for the life of the instance.
  std::uint32_t abi_minor = PGA_ABI_MINOR;  // what the host says of itself
  Tables tables = Tables::kCurrent;
  bool guard_pages = true;   // false: ordinary heap memory, and tables can be written: for valgrind and debuggers
  bool poison = true;        // false: what was lent is left as it is, for 64 further calls
  bool hop_threads = false;  // each call comes on a thread of its own, unless the plugin is PGA_F_AFFINE

  // From now on the nominal time is what the test says: runs are scheduled now and cancelled once advance() or emit_takes has
  // carried the clock past their timeout, not before. Unix nanoseconds.
  void set_time(std::int64_t unix_ns);
  // [any thread] The clock moves; a negative step is a wall clock set back. Before set_time() nothing happens.
  void advance(std::chrono::nanoseconds step);

  // `plugin` is what pga_plugin_v1() returned; NULL, the refusal, is an instance that was not created, as is a plugin that the
  // real host refuses. `instance` is the name in the operator's configuration, "pg_stats" or "pg_stats@prod2"; it defaults to the
  // descriptor's id.
  Instance create(const pga_plugin* plugin, std::string_view instance = {});

 private:
  friend class Instance::Impl;
  friend class Instance;

  void note_violation(std::string what);

  std::mutex mutex_;        // log, violations
  std::mutex clock_mutex_;  // what follows
  std::optional<std::int64_t> virtual_unix_ns_;
  std::vector<Instance::Impl*> instances_;
};

}  // namespace pganalytics::testing

#pragma GCC diagnostic pop

#endif
