// Which files a run reads, and how: what the configuration says, completed by what the server says of itself.
//
// The server is asked at the first run, every ten minutes, half a minute after it could not be asked, and when its log says that
// it has read its configuration anew. What it said is kept in the plugin's state, so that a server that is down does not end the
// reading of its last words. Without `conninfo` there is no connection, and all is as configured. One thread.
#pragma once

#include "plugins/logs/config.h"
#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/problem.h"
#include "plugins/logs/server/log_location.h"
#include "plugins/logs/server/log_session.h"
#include "plugins/logs/server/log_settings.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>

namespace pganalytics::logs {

class Discovery {
 public:
  // Borrows: both outlive it.
  Discovery(const Host& host, FileAccess& local_files) : host_(host), local_files_(local_files) {}

  // The server is asked anew by the next run.
  void configure(const Config& config);

  struct Plan {
    Config config;                          // with paths, line_prefix and syslog_ident as they are to be taken now
    std::unique_ptr<FileAccess> on_server;  // read these through SQL; none: local files
    bool discovered = false;                // config.paths is the server's answer, and not the operator's
    bool written_in_parallel = false;       // what is in these files was also in those that were read before
    bool readable = true;  // false: nothing can be known of the files in this run, so that nothing may be concluded
    Problems problems;
  };
  // [during collect] Asks the server if it is time to. An error: a secret is missing, or the host refuses the state.
  Expected<Plan> plan(Run& run);

  // To be shown each event before anything is hidden in it. false: it is a statement of our own, and not to be delivered.
  bool accept(const Event& event);

 private:
  enum class Source { kPaths, kServerFolder, kSql };

  [[nodiscard]] bool is_time_to_ask() const;
  Expected<postgres::ReadOnlySession::Profile> profile_of(const Run& run) const;
  void ask(Problems& problems);
  std::optional<Source> decide(const LogSettings& settings, Problems& problems);
  Outcome check_here(const LogSettings& settings, const LogLocation& location);
  Outcome check_same_files(const LogLocation& location);
  Outcome check_sql(const LogSettings& settings, const LogLocation& location);
  [[nodiscard]] std::string words_of_state() const;
  Outcome remember() const;
  void recall();
  Plan plan_of(Source source, Problems problems);

  const Host& host_;
  FileAccess& local_files_;
  Config config_;
  LogSession session_;
  std::optional<LogSettings> settings_;  // as they were last known
  Source source_ = Source::kPaths;
  std::int64_t ask_at_mono_ns_ = 0;
  bool written_in_parallel_ = false;
  bool recalled_ = false;
  bool asked_ = false;  // since what is in the state was written
};

}  // namespace pganalytics::logs
