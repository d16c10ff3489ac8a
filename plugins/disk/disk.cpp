#include "plugins/disk/disk.h"

#include <fnmatch.h>

#include <algorithm>
#include <pganalytics/text.hpp>
#include <set>

#include "disk_embedded.h"

namespace pganalytics::disk {
namespace {

using std::chrono::milliseconds;

// What one document holds at most; more is told in "errors".
constexpr std::size_t kFilesystemsMax = 512;
constexpr std::size_t kDevicesMax = 1024;
// Kept of the run's time for reading and writing, whatever mount_timeout_ms says.
constexpr milliseconds kReserve{250};
// For the server, and no more than a third of the run's time: what it keeps is also told by the file systems.
constexpr milliseconds kServerTime{3000};
constexpr std::size_t kProcFileMaxBytes = 16 << 20;

Expected<std::string> read_proc(const std::string& path) { return read_text(path, kProcFileMaxBytes, "proc.unreadable"); }

void tell_cut(std::size_t items, std::size_t max, const char* part, Gaps& gaps) {
  if (items > max) {
    gaps.push_back({part, "", "disk.limit", std::to_string(items - max) + " more " + part + " than the document holds"});
  }
}

void write_usage(JsonWriter& document, const Usage& usage) {
  document.member("total_bytes", usage.total_bytes).member("used_bytes", usage.used_bytes);
  document.member("reserved_bytes", usage.reserved_bytes).member("available_bytes", usage.available_bytes);
  document.member("inodes_total", usage.inodes_total).member("inodes_used", usage.inodes_used);
  document.member("inodes_free", usage.inodes_free);
}

// By its device, so that one that takes another's place begins anew.
std::string name_of(const Mount& mount) { return mount.device_number + " " + mount.mount_point; }

void write_trend(JsonWriter& document, const std::optional<Trend>& trend) {
  const auto of = [&](double Trend::*member) { return trend ? std::optional(*trend.*member) : std::nullopt; };
  document.member("growth_bytes_per_second", of(&Trend::bytes_per_second));
  document.member("growth_window_seconds", of(&Trend::window_seconds));
  document.member("full_in_seconds", trend ? trend->seconds_to_full : std::nullopt);
}

void write_storage(JsonWriter& document, const Storage& storage) {
  std::string disks;
  for (const std::string& disk : storage.disks) disks += (disks.empty() ? "" : " ") + disk;
  document.member("block_device", storage.device == nullptr ? std::nullopt : std::optional(storage.device->name));
  document.member("disks", text_or_null(disks));
}

void write_filesystem(JsonWriter& document, const Mount& mount, const Storage& storage, const Usage& usage,
                      const std::optional<Trend>& trend) {
  document.begin_object();
  document.member("mount_point", mount.mount_point).member("device", mount.device).member("type", mount.type);
  document.member("device_number", mount.device_number);
  write_storage(document, storage);
  document.member("read_only", mount.read_only).member("options", mount.options);
  write_usage(document, usage);
  write_trend(document, trend);
  document.end_object();
}

void write_gaps(JsonWriter& document, const Gaps& gaps) {
  document.key("errors").begin_array();
  for (const Gap& gap : gaps) {
    document.begin_object().member("part", gap.part).member("mount_point", text_or_null(gap.mount_point));
    document.member("code", gap.code).member("message", gap.message);
    if (!gap.hint.empty()) document.member("hint", gap.hint);
    if (gap.optional) document.member("optional", true);
    document.end_object();
  }
  document.end_array();
}

// Of a directory that does not answer. What a server keeps lies below folders that are its own: that we may not pass is usual.
Gap directory_gap(const Directory& directory, const Error& error) {
  Gap gap{"directories", directory.path, error.code, error.message};
  if (error.status != PGA_E_DENIED) return gap;
  gap.hint = "The folders above it must be passable: run the plugin as the server's user (user = \"postgres\")";
  gap.hint += directory.from_server ? ", or say where it really is: directories." + directory.name + "." : ".";
  gap.optional = directory.from_server;
  return gap;
}

// The values, or none and a gap.
template <class Item>
std::vector<Item> value_or_gap(Expected<std::vector<Item>> items, const char* part, Gaps& gaps) {
  if (items) return std::move(items).value();
  gaps.push_back({part, "", items.error().code, items.error().message});
  return {};
}

}  // namespace

Disk::Disk(Host host, std::string_view, StatvfsProbe::Call statvfs_call) : host_(host), probe_(std::move(statvfs_call)) {}

Outcome Disk::configure(std::string_view config_json, bool dry_run) {
  PGA_TRY(Settings settings, parse_settings(config_json));
  if (const auto text = read_proc(settings.proc_path + "/self/mountinfo"); !text) {
    Error error = config_error("proc_path", "is no use: " + text.error().message);
    error.hint = "Name the place where proc is mounted.";
    return error;
  }
  if (dry_run) return {};
  settings_ = std::move(settings);
  server_places_.forget();
  return {};
}

Expected<std::vector<Mount>> Disk::read_mounts(Gaps& gaps) const {
  PGA_TRY(const std::string text, read_proc(settings_.proc_path + "/self/mountinfo"));
  auto mounts = choose_mounts(parse_mounts(text, gaps), settings_.filter);
  tell_cut(mounts.size(), kFilesystemsMax, "filesystems", gaps);
  if (mounts.size() > kFilesystemsMax) mounts.resize(kFilesystemsMax);
  return mounts;
}

Expected<std::vector<BlockDevice>> Disk::read_devices(Gaps& gaps) const {
  PGA_TRY(const std::string text, read_proc(settings_.proc_path + "/diskstats"));
  return parse_diskstats(text, gaps);
}

Expected<postgres::ReadOnlySession::Profile> Disk::profile_of(const Run& run) const {
  PGA_TRY(const auto version, host_.info_get("product.version"));  // a JSON text
  auto profile = session_profile(settings_, version && version->size() > 2 ? version->substr(1, version->size() - 2) : "0");
  profile.deadline = postgres::deadline_in(std::min(kServerTime, run.remaining() / 3), run.cancel_fd());
  if (!settings_.password_secret) return profile;
  PGA_TRY(const auto password, host_.secret_get(settings_.password_secret->c_str()));
  if (!password) {
    return Error{PGA_E_CONFIG, "config.secret", "password: there is no secret '" + *settings_.password_secret + "'",
                 "Add it to the collector's secrets, or remove password.", 0};
  }
  profile.password = *password;
  return profile;
}

void Disk::ask_server(const Run& run, Gaps& gaps) {
  if (settings_.conninfo.empty()) return;
  const auto profile = profile_of(run);
  if (!profile) return gaps.push_back({"directories", "", profile.error().code, profile.error().message, profile.error().hint});
  server_places_.refresh(*profile, settings_.proc_path, settings_.server_interval, monotonic_now_ns(), gaps);
}

Expected<std::vector<StatvfsProbe::Answer>> Disk::ask(const Reading& reading, const Run& run) {
  std::vector<StatvfsProbe::Target> targets;
  // A mount that was put in place of a hung one has another id and gets a thread of its own.
  for (const Mount& mount : reading.mounts) targets.push_back({mount.id + " " + mount.mount_point, mount.mount_point});
  for (const Directory& directory : reading.directories) {
    targets.push_back({"directory " + directory.name + " " + directory.path, directory.path});
  }
  const milliseconds budget = std::min(settings_.mount_timeout, std::max(run.remaining() - kReserve, milliseconds(1)));
  PGA_TRY(auto answers, probe_.ask(targets, budget, run.cancel_fd()));
  if (run.cancelled()) return Error{PGA_E_DEADLINE, "cancelled", "cancelled while waiting for the file systems", "", 0};
  return answers;
}

Expected<Disk::Reading> Disk::read(const Run& run, Gaps& gaps) {
  auto mounts = read_mounts(gaps);
  auto devices = read_devices(gaps);
  if (!mounts && !devices) return std::move(mounts).error();
  Reading reading;
  reading.mounts = value_or_gap(std::move(mounts), "filesystems", gaps);
  reading.devices = value_or_gap(std::move(devices), "devices", gaps);
  reading.activity = activities_.see(reading.devices, monotonic_now_ns());
  for (const Mount& mount : reading.mounts) reading.storage.push_back(storage_of(mount, reading.devices, settings_.sys_path));
  ask_server(run, gaps);
  reading.directories = directories_of(settings_.directories, server_places_.places());
  PGA_TRY(reading.answers, ask(reading, run));
  return reading;
}

// Of a file system that answers.
std::optional<Trend> Disk::trend_of(const Mount& mount, const Usage& usage) {
  if (!usage.used_bytes || !usage.available_bytes) return std::nullopt;
  return growth_.see(name_of(mount), *usage.used_bytes, *usage.available_bytes, monotonic_now_ns());
}

void Disk::write_filesystems(const Reading& reading, Gaps& gaps) {
  std::set<std::string> names;
  for (const Mount& mount : reading.mounts) names.insert(name_of(mount));
  growth_.keep_only(names);
  document_.key("filesystems").begin_array();
  for (std::size_t i = 0; i < reading.mounts.size(); ++i) {
    const Mount& mount = reading.mounts[i];
    const StatvfsProbe::Answer& answer = reading.answers[i];
    if (!answer) {
      gaps.push_back({"filesystems", mount.mount_point, answer.error().code, answer.error().message});
      write_filesystem(document_, mount, reading.storage[i], Usage{}, std::nullopt);
    } else if (answer->usage.f_blocks != 0 || mount.mount_point == "/") {  // df, too, passes over what has no size
      const Usage usage = usage_of(answer->usage);
      write_filesystem(document_, mount, reading.storage[i], usage, trend_of(mount, usage));
    }
  }
  document_.end_array();
}

// With the file system that it lies on in its own words: a directory may be a symbolic link, or behind one, and the mount that it
// is reached by another one than that which is told.
void Disk::write_directory(const Reading& reading, const Directory& directory, const StatvfsProbe::Answer& answer) {
  const std::string mount_id = answer ? std::to_string(answer->mount_id) : "";
  const auto found = std::find_if(reading.mounts.begin(), reading.mounts.end(), [&](const Mount& each) {
    return std::find(each.ids.begin(), each.ids.end(), mount_id) != each.ids.end();
  });
  const Mount* const mount = found == reading.mounts.end() ? nullptr : &*found;
  const Storage storage = mount == nullptr ? Storage{} : reading.storage[static_cast<std::size_t>(mount - reading.mounts.data())];
  const Usage usage = answer ? usage_of(answer->usage) : Usage{};
  document_.begin_object().member("name", directory.name).member("path", directory.path);
  document_.member("source", directory.from_server ? "server" : "configuration");
  document_.member("mount_point", mount == nullptr ? std::nullopt : std::optional(mount->mount_point));
  write_storage(document_, storage);
  document_.member("total_bytes", usage.total_bytes).member("available_bytes", usage.available_bytes);
  write_trend(document_, mount == nullptr ? std::nullopt : growth_.last(name_of(*mount)));
  document_.member("files", directory.files).member("size_bytes", directory.bytes);
  write_activity(document_, storage.device == nullptr
                                ? DeviceActivity{}
                                : reading.activity[static_cast<std::size_t>(storage.device - reading.devices.data())]);
  document_.end_object();
}

void Disk::write_directories(const Reading& reading, Gaps& gaps) {
  if (reading.directories.empty()) return;
  document_.key("directories").begin_array();
  for (std::size_t i = 0; i < reading.directories.size(); ++i) {
    const StatvfsProbe::Answer& answer = reading.answers[reading.mounts.size() + i];
    if (!answer) gaps.push_back(directory_gap(reading.directories[i], answer.error()));
    write_directory(reading, reading.directories[i], answer);
  }
  document_.end_array();
}

void Disk::write_devices(const Reading& reading, Gaps& gaps) {
  const auto excluded = [&](const BlockDevice& device) {
    return std::any_of(settings_.exclude_devices.begin(), settings_.exclude_devices.end(),
                       [&](const std::string& glob) { return ::fnmatch(glob.c_str(), device.name.c_str(), 0) == 0; });
  };
  std::size_t wanted = 0;
  document_.key("devices").begin_array();
  for (std::size_t i = 0; i < reading.devices.size(); ++i) {
    if (excluded(reading.devices[i]) || ++wanted > kDevicesMax) continue;
    document_.begin_object();
    write_counters(document_, reading.devices[i]);
    write_activity(document_, reading.activity[i]);
    document_.end_object();
  }
  document_.end_array();
  tell_cut(wanted, kDevicesMax, "devices", gaps);
}

Outcome Disk::collect(Run& run) {
  Gaps gaps;
  PGA_TRY(const Reading reading, read(run, gaps));
  document_.clear();
  document_.begin_object().member("type", "disk").member("timestamp", run.timestamp());
  write_filesystems(reading, gaps);
  write_directories(reading, gaps);
  write_devices(reading, gaps);
  write_gaps(document_, gaps);
  document_.end_object();
  return run.emit(document_.text());
}

}  // namespace pganalytics::disk

PGA_DEFINE_PLUGIN(pganalytics::disk::Disk, "disk",
                  (pganalytics::PluginFacts{"0.1.0", "pgAnalytics", "How full file systems are, and what block devices do",
                                            "Apache-2.0", "https://github.com/pganalytics/pganalytics", "disk_usage",
                                            embedded::config_schema_json, embedded::output_schema_json,
                                            PGA_NEED_PROC | PGA_NEED_READ_FS | PGA_NEED_PG, 0, 60'000, 10'000}))
