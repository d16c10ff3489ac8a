// What `pganalytics status` shows: the running collector's own word, or what it left in its state folder.
//
// Here: the figures, what is wrong with them, both ways to show them. Not here: where they come from (status_command.cpp). Pure.
#pragma once

#include "core/collector/self_report.h"
#include "core/config/collector_config.h"
#include "core/spool/spool.h"

#include <rapidjson/document.h>

#include <sys/types.h>

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

struct Status {
  config::CollectorConfig config;
  std::optional<pid_t> running;             // who holds the state folder
  std::optional<std::string> started;       // of the collector that answered
  std::optional<Error> silent;              // why it did not answer; nullopt: it did
  std::optional<std::string> collector_id;  // nullopt: not registered
  bool has_spool = false;
  std::optional<Error> spool_unreadable;  // at this moment: it may be just being made
  spool::SpoolStatus spool;
  std::vector<spool::Loss> losses;              // that the server has not been told yet
  std::optional<rapidjson::Document> report;    // of this moment if the collector answered, else the newest it kept
  std::optional<std::string> last_good_config;  // remote, JSON
  std::optional<std::string> backup;            // path of the newest copy of the state file
};

// What somebody should look at, a line each; empty: all is well.
std::vector<std::string> problems_of(const Status& status);
// 0, 1 for problems, 3 when no collector runs.
int exit_code_of(const Status& status);

std::string to_json(const Status& status);
std::string to_text(const Status& status);

}  // namespace pganalytics::collector
