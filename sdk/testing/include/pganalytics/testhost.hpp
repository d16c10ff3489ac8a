// pganalytics/testhost.hpp - a host to test a collector against, alone and in one process.
//
//     pganalytics::testing::FakeHost host;
//     host.secrets["password"] = "hunter2";
//     auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
//     REQUIRE(instance.configure(R"({"paths":["/"]})"));
//     auto result = instance.collect();
//     CHECK(result.status == PGA_OK);
//     CHECK(result.documents.size() == 1);
//
// It keeps the promises of plugin.h as the real host does: state is staged in a run and committed only if the run succeeds; a
// document must be a JSON object with "type" and "timestamp", valid against the plugin's output_schema, or the run fails;
// at the deadline the run is cancelled. What it does not do: kill a plugin that hangs, sandbox, schedule, validate the
// configuration it is given. Link pganalytics::testhost. C programs: pganalytics/testhost.h.
//
// Threads: a FakeHost and its instances belong to one thread; Instance::cancel() and whatever plugin.h calls [any thread] may
// come from others. A FakeHost outlives its instances.
#ifndef PGANALYTICS_TESTHOST_HPP
#define PGANALYTICS_TESTHOST_HPP

#include <pganalytics/plugin.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::testing {

struct LogLine {
  std::uint32_t level = 0;  // PGA_LOG_*
  std::string message;
};

struct CollectOptions {
  std::chrono::milliseconds timeout{10'000};  // to the deadline; 0 or less: it has passed already
  std::int64_t scheduled_unix_ns = 0;         // 0: now
  std::uint32_t reason = PGA_REASON_SCHEDULE;
};

// What came of one collect(), as the real host would judge it.
struct CollectResult {
  pga_status status = PGA_OK;
  std::string error_code, error_message;  // what the plugin said, or "document.invalid" and what the host found wrong
  std::uint32_t retry_after_ms = 0;
  std::vector<std::string> documents;  // as emitted, in order; kept for the test's eyes even when the run failed
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
  std::map<std::string, std::string> facts;  // JSON scalars; "host.name", "collector.id"... are there from the start
  std::map<std::string, std::string> state;  // committed
  std::vector<LogLine> log;                  // read it between calls
  std::uint32_t log_level = PGA_LOG_DEBUG;
  std::uint32_t max_document_bytes = 1u << 20;
  std::uint32_t abi_minor = PGA_ABI_MINOR;  // what the host says of itself

  // `plugin` is what pga_plugin_v1() returned; NULL, the refusal, is an instance that was not created. `instance` defaults to
  // the descriptor's id.
  Instance create(const pga_plugin* plugin, std::string_view instance = {});
};

}  // namespace pganalytics::testing

#endif
