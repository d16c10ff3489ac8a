// The parsers of plugins/disk on any bytes: no crash, mounts that can be asked, and devices that are JSON.
// links: disk_objects
#include <rapidjson/document.h>

#include <cstdlib>
#include <set>
#include <string>

#include "plugins/disk/device_activity.h"
#include "plugins/disk/diskstats.h"
#include "plugins/disk/mounts.h"
#include "plugins/disk/same_host.h"

using namespace pganalytics;
using namespace pganalytics::disk;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Gaps gaps;
  MountFilter filter;
  filter.exclude_types = {"tmpfs"};
  std::set<std::string> points, numbers;
  for (const Mount& mount : choose_mounts(parse_mounts(text, gaps), filter)) {
    require(mount.mount_point[0] == '/' && mount.mount_point.find('\0') == std::string::npos);
    require(points.insert(mount.mount_point).second);     // the probe needs distinct keys
    require(numbers.insert(mount.device_number).second);  // each file system once
  }
  for (const BlockDevice& device : parse_diskstats(text, gaps)) {
    const DeviceActivity activity = activity_between(BlockDevice{}, device, 1);
    require(!activity.utilization || (*activity.utilization >= 0 && *activity.utilization <= 1));
    JsonWriter writer;
    writer.begin_object();
    write_counters(writer, device);
    write_activity(writer, activity);
    writer.end_object();
    rapidjson::Document document;
    document.Parse(std::string(writer.text()));
    require(!document.HasParseError());
  }
  const auto start = start_of_postgres(text);
  require(!start || *start >= 0);
  require(gaps.size() <= 9);
  return 0;
}
