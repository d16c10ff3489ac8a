// Events gathered into documents of bounded size, handed to the host as they fill. Every entry is counted; which of them are
// delivered is up to the configuration's filters and, where there are too many, to Sampling. One object per run, on the run's
// thread.
#pragma once

#include "plugins/logs/class_counts.h"
#include "plugins/logs/config.h"
#include "plugins/logs/event.h"
#include "plugins/logs/follow/survey.h"
#include "plugins/logs/sampling.h"

#include <cstddef>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

class Documents {
 public:
  Documents(Run& run, const Config& config) : run_(run), config_(config), sampling_(config.full_entries_per_class) {}

  // Counts the entry; if the configuration wants it and it is not left out, redacts and adds it, which changes it.
  Outcome add(Event& event);

  // The run has said as much as one should: it ends here, and the next one goes on. Unless `full_entries_per_class` is 0, or each
  // entry huge, it does not come to that.
  [[nodiscard]] bool full() const;

  // An entry about the collector's own session, which is not delivered.
  void count_own() { ++own_entries_; }

  // The last document. Nothing is emitted when there is neither an entry nor a problem to tell.
  Outcome finish(const std::vector<FollowedFile>& read_files, const std::vector<Problem>& problems);

 private:
  Outcome deliver(Event& event, const Kind& kind, const EventClass* event_class);
  [[nodiscard]] std::size_t room_of_event() const;
  [[nodiscard]] std::size_t size_with(const Kind& kind, std::size_t event_bytes) const;
  Outcome emit(std::string_view files, std::string_view errors);

  Run& run_;
  const Config& config_;
  Sampling sampling_;
  ClassCounts counts_;
  std::string events_;  // JSON objects with commas between
  std::size_t event_count_ = 0;
  std::uint64_t own_entries_ = 0;
  std::size_t emitted_documents_ = 0;
  std::size_t emitted_bytes_ = 0;
};

}  // namespace pganalytics::logs
