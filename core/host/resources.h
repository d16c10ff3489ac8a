// What a worker takes from the machine: memory, processor time and threads, read in /proc, and held against the plugin's
// ceilings.
//
// The ceilings are the second line: RLIMIT_DATA and, where there is one, the worker's control group come first. The one does not
// see shared memory, the other is seldom there. Here: figures and verdict. Not here: when to
// look, what a verdict means (runner.h). One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>

#include "core/host/confinement.h"

namespace pganalytics::host {

struct Usage {
  std::int64_t rss_bytes = 0;
  std::int64_t cpu_ms = 0;  // since it began, its ended children included
  std::int64_t threads = 1;
};

// Of a process, and of what it started too if `with_children`. nullopt: there is no such process (any more).
std::optional<Usage> usage_of(pid_t pid, bool with_children);

// Its share of the memory it uses: what several processes map counts for each in part. nullopt: we may not look, or the kernel
// does not tell. Walks all its mappings: not for every day.
std::optional<std::int64_t> proportional_bytes(pid_t pid);

class Ceilings {
 public:
  // `window_ms`: what processor time is averaged over.
  Ceilings(std::string plugin, const Confinement& confinement, std::int64_t window_ms)
      : plugin_(std::move(plugin)),
        memory_max_bytes_(confinement.memory_max_bytes),
        cpu_max_percent_(confinement.cpu_max_percent),
        window_ms_(window_ms) {}

  // Resident memory from which the proportional share is worth a look.
  [[nodiscard]] bool near_memory_ceiling(std::int64_t rss_bytes) const {
    return memory_max_bytes_ > 0 && rss_bytes > memory_max_bytes_;
  }
  // One sample, in order of time. What it is over: codes "worker.memory" (with the sample before), "worker.cpu" (for a window),
  // "worker.threads".
  std::optional<Error> judge(const Usage& usage, std::int64_t now_ns);

 private:
  std::optional<Error> judge_memory(std::int64_t bytes);
  static std::optional<Error> judge_threads(std::int64_t threads);
  std::optional<Error> judge_cpu(std::int64_t cpu_ms, std::int64_t now_ns);

  std::string plugin_;
  std::int64_t memory_max_bytes_;  // 0: none
  std::uint32_t cpu_max_percent_;  // of one core; 0: none
  std::int64_t window_ms_;
  bool over_memory_ = false;                               // at the sample before
  std::deque<std::pair<std::int64_t, std::int64_t>> cpu_;  // time in ns, processor time in ms: the window, and one before it
};

}  // namespace pganalytics::host
