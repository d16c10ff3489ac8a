// One plugin instance in this process, and the host's tables it sees (pga_host, pga_run), served over the Link.
//
// Here: the calls into the plugin, in the order plugin.h promises, and every service they may ask for. Not here: bytes on the
// socket (link.h), loading (library.h), when to do what (the host). All calls into the plugin come from the main thread, so
// PGA_F_AFFINE holds; cancel() alone comes from the link's reading thread.
#pragma once

#include <pganalytics/plugin.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <pganalytics/hosting.hpp>
#include <string>

#include "core/host/messages.h"
#include "core/host/token_bucket.h"
#include "core/host/worker/confine.h"
#include "core/host/worker/link.h"

namespace pganalytics::worker {

class Session {
 public:
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();  // destroys the instance

  // Load the plugin, unless this process could not be confined as it should, say hello, and serve the host until it says
  // kShutdown. False: the host or the plugin left no way to go on.
  bool serve(Link& link, const host::LoadMessage& what, Expected<Gaps> confined);

  // [any thread] From the link.
  void cancel(std::uint64_t run);
  void credit(std::uint64_t run, std::uint64_t bytes);
  void lose_host();

 private:
  struct Run;  // one collect() in progress

  bool obey(const host::Frame& frame);
  host::HelloMessage load(const host::LoadMessage& message);
  void start(host::StartMessage message);
  void configure(const host::ConfigureMessage& message);
  bool collect(std::uint64_t number, const host::CollectMessage& message);
  bool recreate();

  host::Verdict create();
  host::Verdict call_configure(const std::string& json, std::uint32_t dry_run);
  host::Verdict call_collect(Run& run);
  void destroy();

  void cancel_running();  // with running_ held
  pga_status emit(std::uint64_t number, std::string_view json);
  bool wait_for_credit(Run& run, std::size_t bytes);
  void log(std::uint32_t level, std::string_view text);

  static pga_status serve_answer(Session& session, std::uint32_t kind, const char* name, char* buf, size_t* len);
  static pga_host make_table(Session* session);
  static pga_run make_run(Session* session, const Run& run, const host::CollectMessage& message);

  Link* link_ = nullptr;
  const pga_plugin* plugin_ = nullptr;
  pga_host table_;
  host::StartMessage settings_;
  std::atomic<std::uint32_t> log_level_{PGA_LOG_INFO};
  std::unique_ptr<hosting::StagedState> state_;
  std::optional<std::string> config_;  // in force
  void* self_ = nullptr;
  host::Verdict created_{PGA_E_FAIL, "worker.order", "the instance was not started", 0};

  std::mutex logging_;  // guards the lines, which any thread of the plugin may write
  host::TokenBucket log_lines_{10, 100};
  std::uint64_t dropped_lines_ = 0;

  std::mutex running_;  // guards what is below, and self_, against cancel()
  Run* run_ = nullptr;
  std::condition_variable may_send_;
  std::uint64_t cancelled_early_ = 0;  // a run whose cancel came before its collect() was called
};

}  // namespace pganalytics::worker
