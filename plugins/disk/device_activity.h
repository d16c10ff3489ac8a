// What block devices did between two readings of diskstats: operations a second, the time of one, the share of time at work.
//
// Here: the formulas of iostat over the fields of Documentation/admin-guide/iostats.rst, what is remembered for them. Not here:
// the counters themselves (diskstats.h). The time is given. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <vector>

#include "plugins/disk/diskstats.h"

namespace pganalytics::disk {

// All null without a reading before, or if the name is another device's since: its counters of requests have gone down. The time
// of one operation is null too if there was none.
struct DeviceActivity {
  std::optional<double> reads_per_second, writes_per_second;
  std::optional<double> read_await_ms, write_await_ms;  // from its request to its end, in the queue included
  std::optional<double> flush_await_ms;                 // of a cache flush, the price of fsync; null before Linux 5.5
  std::optional<double> utilization;                    // share of the time with a request at the device
};

DeviceActivity activity_between(const BlockDevice& before, const BlockDevice& after, double seconds);

class DeviceActivities {
 public:
  // Of each of `devices`, since the call before.
  std::vector<DeviceActivity> see(const std::vector<BlockDevice>& devices, std::int64_t now_ns);

 private:
  std::map<std::string, BlockDevice> before_;  // by name
  std::int64_t before_ns_ = 0;
};

// The members of the object that is open.
void write_activity(JsonWriter& writer, const DeviceActivity& activity);

}  // namespace pganalytics::disk
