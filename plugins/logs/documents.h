// Events gathered into documents of bounded size, handed to the host as they fill. One object per run, on the run's thread.
#pragma once

#include "plugins/logs/config.h"
#include "plugins/logs/event.h"
#include "plugins/logs/follow/survey.h"

#include <array>
#include <cstdint>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

class Documents {
 public:
  Documents(Run& run, const Config& config) : run_(run), config_(config) {}

  // Count the entry; redact and add it if the configuration wants it.
  Outcome add(Event event);

  // An entry about the collector's own session, which is not delivered.
  void count_own() { ++own_entries_; }

  // The last document. Nothing is emitted when there is neither an entry nor a problem to tell.
  Outcome finish(const std::vector<FollowedFile>& read_files, const std::vector<Problem>& problems);

 private:
  Outcome emit(std::string_view files, std::string_view errors);

  Run& run_;
  const Config& config_;
  std::string events_;  // JSON objects with commas between
  std::size_t event_count_ = 0;
  std::array<std::uint64_t, kSeverityNames.size() + 1> counts_{};  // the last: of no severity
  std::uint64_t own_entries_ = 0;
  bool counted_ = false;
};

}  // namespace pganalytics::logs
