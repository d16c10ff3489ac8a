// One run: the families that are due, server first, then database by database, and an honest account of what it cost.
//
// Here: the order, deadlines, what a failure means for the rest. Not here: one family in one database (reader.h), sessions
// (session_pool.h), when a family is due (schedule.h). One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <set>
#include <string>
#include <vector>

#include "plugins/pg_stats/documents.h"
#include "plugins/pg_stats/families.h"
#include "plugins/pg_stats/reader.h"
#include "plugins/pg_stats/schedule.h"
#include "plugins/pg_stats/server.h"
#include "plugins/pg_stats/session_pool.h"
#include "plugins/pg_stats/settings.h"

namespace pganalytics::pg_stats {

// What stays from run to run.
class Collection {
 public:
  Collection();

  // Sessions are opened anew: they carry the settings.
  void configure(Settings settings);
  [[nodiscard]] const Settings& settings() const { return settings_; }

  // What was sent may not have arrived: all rows come again, as if never read.
  void forget();

  // instance: of the plugin, "" for the unnamed one. An Error: the server cannot be read at all, the run was cancelled, or the
  // host refuses a document.
  Outcome run(Run& run, const postgres::ReadOnlySession::Profile& profile, const std::string& instance);

 private:
  struct Extension {
    std::string name, database, schema;  // database "": it was not found yet
    std::set<std::string> probes;
    bool searched = false;  // in the session's own database
  };
  struct Account {
    Reading sum;
    std::int64_t places = 0, failures = 0;
  };
  // What a family's reading in one place costs the server itself, measured now and then.
  struct Sample {
    std::optional<std::int64_t> taken_ms;  // monotonic; tried then
    std::optional<ServerCost> cost;
  };
  class Pass;

  Settings settings_;
  SessionPool pool_;
  Schedule schedule_;
  std::vector<FamilyReader> readers_;  // of families(), in their order
  std::vector<Sample> samples_;        // of them, too
  std::string identity_;               // of the server that the memory is about
  std::optional<std::set<std::string>> probes_;
  std::map<std::string, Extension> extensions_;
  bool has_run_ = false;
  std::set<std::string> new_statements_;  // whose texts are to be read
  std::string next_database_;             // where the run before ran out of time: there the next one begins, so that none starves
};

}  // namespace pganalytics::pg_stats
