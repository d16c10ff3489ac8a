#include "plugins/sysstat/interval.h"

#include <map>
#include <string_view>

namespace pganalytics::sysstat {

Interval without_interval(const Reading& reading) {
  return {std::nullopt, {}, reading.cpu.count, reading.devices, std::vector<BlockActivity>(reading.devices.size())};
}

Interval interval_between(const Reading& before, const Reading& after, Gaps& gaps) {
  Interval interval = without_interval(after);
  const double seconds = std::chrono::duration<double>(after.at - before.at).count();
  interval.seconds = seconds;
  interval.cpu = cpu_between(before.cpu, after.cpu);
  if (!interval.cpu.all && after.cpu.ticks) {
    gaps.push_back({"cpu", "cpu.interval", "the kernel counted no CPU time since the reading before", ""});
  }
  std::map<std::string_view, const BlockDevice*> known;
  for (const BlockDevice& device : before.devices) known[device.name] = &device;
  for (std::size_t i = 0; i < after.devices.size(); ++i) {
    const auto found = known.find(after.devices[i].name);
    if (found != known.end()) interval.activity[i] = block_activity(*found->second, after.devices[i], seconds);
  }
  return interval;
}

}  // namespace pganalytics::sysstat
