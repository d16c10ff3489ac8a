// What block devices do: /proc/diskstats (Documentation/admin-guide/iostats.rst).
//
// Here: the lines of whole disks and of what is built of them (dm, md), and what iostat makes of two readings. Not here:
// partitions, discards, flushes and the counters of time, which `disk` tells (docs/decisions/011). Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

// Totals since the device appeared. The four times wrap at 32 bits (the kernel prints them so): after 50 days, a busy queue
// sooner.
struct BlockDevice {
  std::string name;
  const char* kind = "disk";  // "disk", "dm", "md": adding up makes sense within "disk" only, the others lie on top
  std::uint64_t reads = 0, read_bytes = 0, read_ms = 0;
  std::uint64_t writes = 0, write_bytes = 0, write_ms = 0;
  std::uint64_t in_progress = 0;  // now
  std::uint64_t busy_ms = 0, queue_ms = 0;
};

// `text` is all of diskstats. Devices that never did anything are left out; a line that is not understood is skipped and told.
std::vector<BlockDevice> parse_block_devices(std::string_view text, Gaps& gaps);

// What a device did in an interval, by iostat's formulas over the fields of iostats.rst.
struct BlockActivity {
  std::optional<double> reads_per_second, writes_per_second;
  std::optional<double> read_bytes_per_second, write_bytes_per_second;
  std::optional<double> read_await_ms, write_await_ms;  // milliseconds of a request (fields 4/1, 8/5); null too if there was none
  std::optional<double> utilization;                    // share of the interval with a request at the device (field 10)
  std::optional<double> queue_length;                   // requests at the device, averaged (field 11)
};

// All null if `after` is another device of the same name: its counters of requests have gone down.
BlockActivity block_activity(const BlockDevice& before, const BlockDevice& after, double seconds);

void to_json(JsonWriter& writer, const BlockDevice& device, const BlockActivity& activity);

}  // namespace pganalytics::sysstat
