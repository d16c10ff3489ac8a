// A plugin's lines in the program's log: prefixed with its id, cut, and limited in rate.
//
// Two sources meet here: host->log(), with a level, and what the worker prints, as warnings. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock/clock.h"
#include "core/host/token_bucket.h"
#include "core/log/log.h"

namespace pganalytics::host {

class PluginLog {
 public:
  PluginLog(std::string id, const clock::Clock& clock) : id_(std::move(id)), clock_(clock) {}

  void line(log::Level level, std::string_view text);
  // So many lines were dropped before they came here.
  void drop(std::uint64_t lines) { dropped_ += lines; }
  // Output in any pieces; each whole line is a warning.
  void output(std::string_view bytes);
  // The worker ended: what it left without a newline is a line too.
  void end_of_output();
  // Lines that were not written, because there were too many.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  bool may_write();

  std::string id_;
  const clock::Clock& clock_;
  std::string partial_;
  TokenBucket lines_{10, 100};
  std::uint64_t dropped_ = 0, reported_ = 0;
};

}  // namespace pganalytics::host
