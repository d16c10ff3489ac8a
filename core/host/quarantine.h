// Whether a plugin that keeps failing may have another worker.
//
// Five faults within ten minutes, and it is let alone: for 15 minutes, each time in a row twice as long, up to a day. An hour
// without a fault wins back its good name; a new build of it, or the operator's word, at once. What is in force is kept as a
// record, so that a restart of the host is no way out. Pure: the clock is passed in, keeping the record is the caller's.
//
// Here: the verdict. Not here: what a fault is, workers, restarts (runner.h). One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

#include "core/clock/clock.h"

namespace pganalytics::host {

class Quarantine {
 public:
  static constexpr std::size_t kFaultsMax = 5;
  static constexpr std::int64_t kFaultWindowMs = 10 * 60'000;
  static constexpr std::int64_t kFirstMs = 15 * 60'000;
  static constexpr std::int64_t kLongestMs = 24 * 3'600'000;
  static constexpr std::int64_t kCleanMs = 3'600'000;

  // `build_id`: of the file that is to run.
  Quarantine(const clock::Clock& clock, std::string build_id);

  // Go on from what record() said to a host before. Of another build it counts for nothing. An error: it is no record, and
  // counts for nothing either.
  Outcome recall(std::string_view record);
  // Another build of the plugin has a clean slate.
  void adopt_build(const std::string& build_id);

  // The plugin failed. True: that was one time too many.
  bool fault();
  // The operator's word. False: it was not in force; what was held against the plugin is forgotten all the same.
  bool release();
  // Time went by. True: a quarantine is over.
  bool expire();

  [[nodiscard]] bool in_force() const { return until_ns_ != 0; }
  [[nodiscard]] std::int64_t until_monotonic_ns() const { return until_ns_; }  // 0: not in force
  [[nodiscard]] std::int64_t until_unix_ns() const;                            // 0: not in force

  // For the next host, nullopt: nothing is held against the plugin.
  [[nodiscard]] std::optional<std::string> record() const;

 private:
  void forget();
  [[nodiscard]] std::int64_t length_ms() const;

  const clock::Clock& clock_;
  std::string build_id_;
  std::deque<std::int64_t> faults_ns_;  // within the window, oldest first
  int times_ = 0;                       // quarantines in a row
  std::int64_t until_ns_ = 0;           // monotonic; 0: not in force
  std::int64_t until_unix_ns_ = 0;      // of the last one, also when it is over
  std::int64_t clean_since_ns_ = 0;     // monotonic: last fault, end of the last quarantine, or start
};

}  // namespace pganalytics::host
