// The logs collector: one run = ask the server where its log is if it is time to, survey the files, read on from the cursors,
// emit, store the cursors. Called by the host through plugin.hpp, one call at a time.
#pragma once

#include "plugins/logs/config.h"
#include "plugins/logs/documents.h"
#include "plugins/logs/follow/folder_watch.h"
#include "plugins/logs/follow/local_files.h"
#include "plugins/logs/server/discovery.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

class LogsCollector : public Collector {
 public:
  LogsCollector(Host host, std::string_view) : host_(host), discovery_(host_, local_files_) {}

  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  bool is_quiet(const std::optional<std::string>& stored, const Discovery::Plan& plan);
  void hold(std::vector<ListedFile>& files, const std::vector<Cursor>& cursors);

  Host host_;
  LocalFiles local_files_;
  FolderWatch watch_;
  Discovery discovery_;                    // has the configuration
  std::string settled_state_;              // of a run that left nothing to be read; empty: there is something
  std::vector<std::string> looked_paths_;  // in the last run that looked at the files
  std::int64_t looked_mono_ns_ = 0;
};

}  // namespace pganalytics::logs
