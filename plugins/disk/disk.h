// The collector `disk`: one document about file systems and block devices per run.
//
// Here: the class, so that tests can give it a statvfs that fails or hangs. Not here: what the texts mean (mounts.h,
// diskstats.h), who waits for statvfs (statvfs_probe.h), what the server is asked (server_places.h). Called by the host, one call
// at a time.
#pragma once

#include <chrono>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/disk/device_activity.h"
#include "plugins/disk/directories.h"
#include "plugins/disk/diskstats.h"
#include "plugins/disk/gap.h"
#include "plugins/disk/growth.h"
#include "plugins/disk/mounts.h"
#include "plugins/disk/server_places.h"
#include "plugins/disk/settings.h"
#include "plugins/disk/statvfs_probe.h"
#include "plugins/disk/storage.h"
#include "plugins/disk/usage.h"

namespace pganalytics::disk {

class Disk : public Collector {
 public:
  Disk(Host host, std::string_view instance) : Disk(host, instance, StatvfsProbe::ask_kernel) {}
  Disk(Host host, std::string_view instance, StatvfsProbe::Call statvfs_call);

  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  // What a run has found out, before it is written.
  struct Reading {
    std::vector<Mount> mounts;
    std::vector<Directory> directories;
    std::vector<StatvfsProbe::Answer> answers;  // of the mounts, then of the directories
    std::vector<BlockDevice> devices;           // all there are, for storage_of()
    std::vector<DeviceActivity> activity;       // of each device
    std::vector<Storage> storage;               // of each mount
  };

  Expected<std::vector<Mount>> read_mounts(Gaps& gaps) const;
  Expected<std::vector<BlockDevice>> read_devices(Gaps& gaps) const;
  Expected<Reading> read(const Run& run, Gaps& gaps);
  void ask_server(const Run& run, Gaps& gaps);
  Expected<postgres::ReadOnlySession::Profile> profile_of(const Run& run) const;
  Expected<std::vector<StatvfsProbe::Answer>> ask(const Reading& reading, const Run& run);
  std::optional<Trend> trend_of(const Mount& mount, const Usage& usage);
  void write_filesystems(const Reading& reading, Gaps& gaps);
  void write_directories(const Reading& reading, Gaps& gaps);
  void write_directory(const Reading& reading, const Directory& directory, const StatvfsProbe::Answer& answer);
  void write_devices(const Reading& reading, Gaps& gaps);

  Host host_;
  Settings settings_;
  StatvfsProbe probe_;
  ServerPlaces server_places_;
  DeviceActivities activities_;
  Growth growth_;
  JsonWriter document_;
};

}  // namespace pganalytics::disk
