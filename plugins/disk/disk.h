// The collector `disk`: one document about file systems and block devices per run.
//
// Here: the class, so that tests can give it a statvfs that fails or hangs. Not here: what the texts mean (mounts.h,
// diskstats.h), who waits for statvfs (statvfs_probe.h). Called by the host, one call at a time.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/disk/diskstats.h"
#include "plugins/disk/gap.h"
#include "plugins/disk/growth.h"
#include "plugins/disk/mounts.h"
#include "plugins/disk/statvfs_probe.h"
#include "plugins/disk/usage.h"

namespace pganalytics::disk {

struct Settings {
  std::string proc_path = "/proc";
  MountFilter filter;
  std::vector<std::string> exclude_devices;        // globs
  std::map<std::string, std::string> directories;  // name to path
  std::chrono::milliseconds mount_timeout{2000};
};

class Disk : public Collector {
 public:
  Disk(Host host, std::string_view instance) : Disk(host, instance, StatvfsProbe::ask_kernel) {}
  Disk(Host host, std::string_view instance, StatvfsProbe::Call statvfs_call);

  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  Expected<std::vector<Mount>> read_mounts(Gaps& gaps) const;
  Expected<std::vector<BlockDevice>> read_devices(Gaps& gaps) const;
  Expected<std::vector<StatvfsProbe::Answer>> ask(const std::vector<Mount>& mounts, const Run& run);
  void write_directories(const std::vector<Mount>& mounts, const std::vector<StatvfsProbe::Answer>& answers, Gaps& gaps);
  std::optional<Trend> trend_of(const Mount& mount, const Usage& usage);
  void write_filesystems(const std::vector<Mount>& mounts, const std::vector<StatvfsProbe::Answer>& answers, Gaps& gaps);

  Settings settings_;
  StatvfsProbe probe_;
  Growth growth_;
  JsonWriter document_;
};

}  // namespace pganalytics::disk
