// What block devices have done since boot: /proc/diskstats (Documentation/admin-guide/iostats.rst).
//
// Here: the parser, what kind of device a name is, the writer. Not here: file systems (mounts.h). Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/disk/gap.h"

namespace pganalytics::disk {

struct BlockDevice {
  std::string name;
  std::string device_number;  // "8:1": joins with a file system's
  // "disk", "partition", "dm", "md", "loop", "ram": adding up I/O makes sense within "disk" only, the others lie on top.
  std::string kind;
  std::string parent;  // of a partition, else empty

  using Count = std::optional<std::uint64_t>;  // null: this kernel does not count it
  Count reads, reads_merged, read_bytes, read_time_ms;
  Count writes, writes_merged, write_bytes, write_time_ms;
  Count io_in_progress, io_time_ms, weighted_io_time_ms;
  Count discards, discards_merged, discarded_bytes, discard_time_ms;  // since Linux 4.18
  Count flushes, flush_time_ms;                                       // since Linux 5.5
};

// `text` is all of diskstats. Loop and RAM devices that never did anything are left out; a line that is not understood is skipped
// and told in `gaps`.
std::vector<BlockDevice> parse_diskstats(std::string_view text, Gaps& gaps);

// The members of the object that is open.
void write_counters(JsonWriter& writer, const BlockDevice& device);

}  // namespace pganalytics::disk
