#include "plugins/disk/device_activity.h"

#include <algorithm>
#include <cmath>

namespace pganalytics::disk {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr double kMsPerSecond = 1e3;

using Count = BlockDevice::Count;

double rounded(double figure) { return std::round(figure * 1e3) / 1e3; }

std::optional<double> moved(const Count& before, const Count& after) {
  if (!before || !after) return std::nullopt;
  return *after > *before ? static_cast<double>(*after - *before) : 0.0;
}

// The kernel prints times as 32 bits: one that is about to wrap and then small has gone on. Elsewhere one that fell has not
// moved.
std::optional<double> moved_ms(const Count& before, const Count& after) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  if (before && after && *after < *before && *before<kWrap&& * before - *after> kWrap / 2) {
    return static_cast<double>(*after + kWrap - *before);
  }
  return moved(before, after);
}

std::optional<double> mean(const std::optional<double>& ms, const std::optional<double>& requests) {
  return ms && requests && *requests > 0 ? std::optional(rounded(*ms / *requests)) : std::nullopt;
}

bool fell(const Count& before, const Count& after) { return before && after && *after < *before; }

}  // namespace

DeviceActivity activity_between(const BlockDevice& before, const BlockDevice& after, double seconds) {
  if (seconds <= 0 || fell(before.reads, after.reads) || fell(before.writes, after.writes)) return {};
  const auto reads = moved(before.reads, after.reads);
  const auto writes = moved(before.writes, after.writes);
  const auto busy_ms = moved_ms(before.io_time_ms, after.io_time_ms);
  DeviceActivity activity;
  if (reads) activity.reads_per_second = rounded(*reads / seconds);
  if (writes) activity.writes_per_second = rounded(*writes / seconds);
  activity.read_await_ms = mean(moved_ms(before.read_time_ms, after.read_time_ms), reads);
  activity.write_await_ms = mean(moved_ms(before.write_time_ms, after.write_time_ms), writes);
  activity.flush_await_ms = mean(moved_ms(before.flush_time_ms, after.flush_time_ms), moved(before.flushes, after.flushes));
  // The kernel counts a request's time when it ends: a share may come out above the whole.
  if (busy_ms) activity.utilization = rounded(std::min(*busy_ms / (seconds * kMsPerSecond), 1.0));
  return activity;
}

std::vector<DeviceActivity> DeviceActivities::see(const std::vector<BlockDevice>& devices, std::int64_t now_ns) {
  const double seconds = static_cast<double>(now_ns - before_ns_) / kNsPerSecond;
  std::vector<DeviceActivity> activities;
  std::map<std::string, BlockDevice> seen;
  for (const BlockDevice& device : devices) {
    const auto before = before_.find(device.name);
    activities.push_back(before == before_.end() ? DeviceActivity{} : activity_between(before->second, device, seconds));
    seen.emplace(device.name, device);
  }
  before_ = std::move(seen);
  before_ns_ = now_ns;
  return activities;
}

void write_activity(JsonWriter& writer, const DeviceActivity& activity) {
  writer.member("reads_per_second", activity.reads_per_second).member("writes_per_second", activity.writes_per_second);
  writer.member("read_await_ms", activity.read_await_ms).member("write_await_ms", activity.write_await_ms);
  writer.member("flush_await_ms", activity.flush_await_ms).member("utilization", activity.utilization);
}

}  // namespace pganalytics::disk
