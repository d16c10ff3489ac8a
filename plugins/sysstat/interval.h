// Two readings of what the kernel counts, and the figures of the time between them.
//
// Here: what is compared, by which clock, and what of it has nothing to compare with. Not here: the arithmetic of processors
// (cpu.h) and devices (block_devices.h), when to read (sysstat.cpp). Pure functions, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "plugins/sysstat/block_devices.h"
#include "plugins/sysstat/cpu.h"
#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

// CLOCK_MONOTONIC: steps of the wall clock do not touch it, and it stands still in suspend as the kernel's counters do. Shares of
// processors need no clock at all: the ticks of all kinds add up to the time.
using Clock = std::chrono::steady_clock;

struct Reading {
  Clock::time_point at;
  CpuReading cpu;
  std::vector<BlockDevice> devices;
};

struct Interval {
  std::optional<double> seconds;  // null: there is no reading before
  CpuInterval cpu;
  std::optional<std::uint64_t> cpu_count;
  std::vector<BlockDevice> devices;
  std::vector<BlockActivity> activity;  // of each device; null of one that was not there before
};

// That no CPU time was counted is told in `gaps`.
Interval interval_between(const Reading& before, const Reading& after, Gaps& gaps);
// What one reading tells alone.
Interval without_interval(const Reading& reading);

}  // namespace pganalytics::sysstat
