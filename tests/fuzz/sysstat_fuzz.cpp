// The parsers of plugins/sysstat on any bytes: no crash, shares that are shares, no rate below zero, and a document that is JSON.
// links: sysstat_objects
#include <rapidjson/document.h>

#include <cstdlib>
#include <string>

#include "plugins/sysstat/block_devices.h"
#include "plugins/sysstat/cgroup.h"
#include "plugins/sysstat/cpu.h"
#include "plugins/sysstat/facts.h"
#include "plugins/sysstat/network.h"
#include "plugins/sysstat/postgres_title.h"
#include "plugins/sysstat/pressure.h"
#include "plugins/sysstat/process_files.h"
#include "plugins/sysstat/readings.h"
#include "plugins/sysstat/tcp.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

void require_whole(const CpuShares& shares) {
  double sum = 0;
  for (const double share : shares) {
    require(share >= 0 && share <= 1);
    sum += share;
  }
  require(sum > 0.999 && sum < 1.001);
}

void check_shares(std::string_view before, std::string_view after) {
  Gaps gaps;
  const CpuReading first = parse_cpu(before, gaps);
  const CpuReading second = parse_cpu(after, gaps);
  const CpuInterval interval = cpu_between(first, second);
  if (interval.all) require_whole(*interval.all);
  require(interval.cores.size() <= first.cores.size() && interval.cores.size() <= second.cores.size());
  for (const CoreShares& core : interval.cores) require_whole(core.shares);
  if (!first.ticks || !second.ticks) require(!gaps.empty());
}

void require_json(const JsonWriter& writer) {
  rapidjson::Document document;
  document.Parse(std::string(writer.text()));
  require(!document.HasParseError());
}

void check_devices(std::string_view before, std::string_view after) {
  Gaps gaps;
  const auto old = parse_block_devices(before, gaps);
  for (const BlockDevice& device : parse_block_devices(after, gaps)) {
    for (const BlockDevice& earlier : old) {
      const BlockActivity activity = block_activity(earlier, device, 0.25);
      for (const auto& figure : {activity.reads_per_second, activity.write_bytes_per_second, activity.read_await_ms,
                                 activity.write_await_ms, activity.utilization, activity.queue_length}) {
        require(!figure || *figure >= 0);
      }
      require(!activity.utilization || *activity.utilization <= 1);
      JsonWriter writer;
      to_json(writer, device, activity);
      require_json(writer);
    }
  }
}

template <class Reading>
void check_json(const Reading& reading) {
  JsonWriter writer;
  to_json(writer, reading);
  require_json(writer);
}

// Nothing of a command line but these leaves the plugin.
void check_title(std::string_view cmdline) {
  const std::string_view type = backend_type_of(cmdline);
  require(!type.empty() && type.size() <= 30 && type.find_first_not_of("abcdefghijklmnopqrstuvwxyz ") == type.npos);
  const PostmasterArguments arguments = postmaster_arguments(cmdline);
  require(arguments.data_directory.size() + arguments.port.size() <= cmdline.size());
}

void check_process(std::string_view text) {
  const auto process = parse_process_stat(text);
  if (process) require(process->command.size() <= text.size());
  parse_process_io(text);
  parse_pss_bytes(text);
  parse_anonymous_pages(text);
}

void check_pressure(std::string_view text) {
  const Pressure pressure = parse_pressure(text);
  for (const auto& average : {pressure.some.avg10, pressure.some.avg60, pressure.some.avg300, pressure.full.avg10}) {
    require(!average || (*average >= 0 && *average <= 1));
  }
  check_json(HostPressure{pressure, pressure, pressure, pressure});
}

void check_cgroup(std::string_view text) {
  const auto path = parse_cgroup_path(text);
  require(!path || (path->front() == '/' && path->find('\n') == std::string::npos));
  for (const std::string& above : groups_above(path.value_or("/"))) require(above.size() < path->size());
  const auto processors = parse_cpu_max(text);
  require(!processors || *processors >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string_view first = text.substr(0, size / 2);
  const std::string_view second = text.substr(size / 2);
  check_shares(first, second);
  check_devices(first, second);
  Gaps gaps;
  check_json(parse_memory(text, gaps));
  check_json(parse_paging(text, gaps));
  check_json(parse_activity(text, gaps));
  check_json(parse_load(text, gaps));
  const auto uptime = parse_uptime_seconds(text, gaps);
  require(!uptime || *uptime >= 0);
  check_pressure(text);
  const auto interfaces = parse_interfaces(text, gaps);
  require(interfaces.size() <= kInterfacesMax);
  for (const Interface& interface : interfaces) check_json(interface);
  check_json(parse_tcp(text, text, gaps));
  check_title(text);
  check_process(text);
  check_cgroup(text);
  const auto listed = count_of_list(text);
  require(!listed || *listed > 0);
  require(chosen_of(text).size() <= text.size());
  return 0;
}
