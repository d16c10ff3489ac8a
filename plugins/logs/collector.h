// The logs collector: one run = survey the files, read on from the cursors, emit, store the cursors. Called by the host through
// plugin.hpp, one call at a time.
#pragma once

#include "plugins/logs/config.h"
#include "plugins/logs/documents.h"
#include "plugins/logs/follow/survey.h"

#include <chrono>
#include <cstdint>
#include <pganalytics/plugin.hpp>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

class LogsCollector : public Collector {
 public:
  LogsCollector(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  Host host_;
  Config config_;
};

}  // namespace pganalytics::logs
