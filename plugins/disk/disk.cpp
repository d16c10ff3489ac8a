#include "plugins/disk/disk.h"

#include <fnmatch.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <pganalytics/text.hpp>
#include <set>

#include "disk_embedded.h"
#include "plugins/disk/usage.h"

namespace pganalytics::disk {
namespace {

using std::chrono::milliseconds;

// What one document holds at most; more is told in "errors".
constexpr std::size_t kFilesystemsMax = 512;
constexpr std::size_t kDevicesMax = 1024;
// Kept of the run's time for reading and writing, whatever mount_timeout_ms says.
constexpr milliseconds kReserve{250};
constexpr std::size_t kProcFileMaxBytes = 16 << 20;

Error config_error(const char* key, const std::string& why) {
  return {PGA_E_CONFIG, std::string("config.") + key, std::string(key) + " " + why, "", 0};
}

// An absent key leaves `into` as it is.
Outcome take_texts(const rapidjson::Document& config, const char* key, std::vector<std::string>& into) {
  const auto given = config.FindMember(key);
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsArray()) return config_error(key, "is not a list");
  into.clear();
  for (const auto& text : given->value.GetArray()) {
    if (!text.IsString()) return config_error(key, "holds something that is not a text");
    into.emplace_back(text.GetString(), text.GetStringLength());
  }
  return {};
}

Outcome take_mount_timeout(const rapidjson::Document& config, milliseconds& into) {
  const auto given = config.FindMember("mount_timeout_ms");
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsUint() || given->value.GetUint() == 0) return config_error("mount_timeout_ms", "is not a positive number");
  into = milliseconds(given->value.GetUint());
  return {};
}

Outcome take_directories(const rapidjson::Document& config, std::map<std::string, std::string>& into) {
  const auto given = config.FindMember("directories");
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsObject()) return config_error("directories", "is not a table");
  for (const auto& directory : given->value.GetObject()) {
    if (!directory.value.IsString() || directory.value.GetStringLength() == 0 || directory.value.GetString()[0] != '/')
      return config_error("directories", std::string("holds ") + directory.name.GetString() + ", which is no absolute path");
    into.emplace(directory.name.GetString(), directory.value.GetString());
  }
  return {};
}

Outcome take_proc_path(const rapidjson::Document& config, std::string& into) {
  const auto given = config.FindMember("proc_path");
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsString()) return config_error("proc_path", "is not a text");
  into = given->value.GetString();
  return {};
}

Expected<Settings> parse_settings(std::string_view config_json) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Error{PGA_E_CONFIG, "config.json", "the configuration is not a JSON object", "", 0};
  }
  Settings settings;
  settings.filter.exclude_types = {"tmpfs", "ramfs", "devtmpfs", "overlay", "squashfs", "erofs", "iso9660"};
  PGA_CHECK(take_proc_path(config, settings.proc_path));
  PGA_CHECK(take_mount_timeout(config, settings.mount_timeout));
  PGA_CHECK(take_texts(config, "include_types", settings.filter.include_types));
  PGA_CHECK(take_texts(config, "exclude_types", settings.filter.exclude_types));
  PGA_CHECK(take_texts(config, "include_mount_points", settings.filter.include_mount_points));
  PGA_CHECK(take_texts(config, "exclude_mount_points", settings.filter.exclude_mount_points));
  PGA_CHECK(take_texts(config, "exclude_devices", settings.exclude_devices));
  PGA_CHECK(take_directories(config, settings.directories));
  return settings;
}

Expected<std::string> read_proc(const std::string& path) { return read_text(path, kProcFileMaxBytes, "proc.unreadable"); }

template <class Item>
void limit(std::vector<Item>& items, std::size_t max, const char* part, Gaps& gaps) {
  if (items.size() <= max) return;
  gaps.push_back({part, "", "disk.limit", std::to_string(items.size() - max) + " more " + part + " than the document holds"});
  items.resize(max);
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

void write_filesystem(JsonWriter& document, const Mount& mount, const Usage& usage, const std::optional<Trend>& trend) {
  document.begin_object();
  document.member("mount_point", mount.mount_point).member("device", mount.device).member("type", mount.type);
  document.member("device_number", mount.device_number).member("read_only", mount.read_only);
  document.member("options", mount.options);
  write_usage(document, usage);
  write_trend(document, trend);
  document.end_object();
}

void write_devices(JsonWriter& document, const std::vector<BlockDevice>& devices) {
  document.key("devices").begin_array();
  for (const BlockDevice& device : devices) to_json(document, device);
  document.end_array();
}

void write_gaps(JsonWriter& document, const Gaps& gaps) {
  document.key("errors").begin_array();
  for (const Gap& gap : gaps) {
    document.begin_object().member("part", gap.part).member("mount_point", text_or_null(gap.mount_point));
    document.member("code", gap.code).member("message", gap.message).end_object();
  }
  document.end_array();
}

// The values, or none and a gap.
template <class Item>
std::vector<Item> value_or_gap(Expected<std::vector<Item>> items, const char* part, Gaps& gaps) {
  if (items) return std::move(items).value();
  gaps.push_back({part, "", items.error().code, items.error().message});
  return {};
}

}  // namespace

Disk::Disk(Host, std::string_view, StatvfsProbe::Call statvfs_call) : probe_(std::move(statvfs_call)) {}

Outcome Disk::configure(std::string_view config_json, bool dry_run) {
  PGA_TRY(Settings settings, parse_settings(config_json));
  if (const auto text = read_proc(settings.proc_path + "/self/mountinfo"); !text) {
    Error error = config_error("proc_path", "is no use: " + text.error().message);
    error.hint = "Name the place where proc is mounted.";
    return error;
  }
  if (!dry_run) settings_ = std::move(settings);
  return {};
}

Expected<std::vector<Mount>> Disk::read_mounts(Gaps& gaps) const {
  PGA_TRY(const std::string text, read_proc(settings_.proc_path + "/self/mountinfo"));
  auto mounts = choose_mounts(parse_mounts(text, gaps), settings_.filter);
  limit(mounts, kFilesystemsMax, "filesystems", gaps);
  return mounts;
}

Expected<std::vector<BlockDevice>> Disk::read_devices(Gaps& gaps) const {
  PGA_TRY(const std::string text, read_proc(settings_.proc_path + "/diskstats"));
  auto devices = parse_diskstats(text, gaps);
  const auto excluded = [&](const BlockDevice& device) {
    return std::any_of(settings_.exclude_devices.begin(), settings_.exclude_devices.end(),
                       [&](const std::string& glob) { return ::fnmatch(glob.c_str(), device.name.c_str(), 0) == 0; });
  };
  devices.erase(std::remove_if(devices.begin(), devices.end(), excluded), devices.end());
  limit(devices, kDevicesMax, "devices", gaps);
  return devices;
}

Expected<std::vector<StatvfsProbe::Answer>> Disk::ask(const std::vector<Mount>& mounts, const Run& run) {
  std::vector<StatvfsProbe::Target> targets;
  // A mount that was put in place of a hung one has another id and gets a thread of its own.
  for (const Mount& mount : mounts) targets.push_back({mount.id + " " + mount.mount_point, mount.mount_point});
  for (const auto& [name, path] : settings_.directories) targets.push_back({"directory " + name + " " + path, path});
  const milliseconds budget = std::min(settings_.mount_timeout, std::max(run.remaining() - kReserve, milliseconds(1)));
  PGA_TRY(auto answers, probe_.ask(targets, budget, run.cancel_fd()));
  if (run.cancelled()) return Error{PGA_E_DEADLINE, "cancelled", "cancelled while waiting for the file systems", "", 0};
  return answers;
}

// Of a file system that answers.
std::optional<Trend> Disk::trend_of(const Mount& mount, const Usage& usage) {
  if (!usage.used_bytes || !usage.available_bytes) return std::nullopt;
  return growth_.see(name_of(mount), *usage.used_bytes, *usage.available_bytes, monotonic_now_ns());
}

void Disk::write_filesystems(const std::vector<Mount>& mounts, const std::vector<StatvfsProbe::Answer>& answers, Gaps& gaps) {
  std::set<std::string> names;
  for (const Mount& mount : mounts) names.insert(name_of(mount));
  growth_.keep_only(names);
  document_.key("filesystems").begin_array();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (!answers[i]) {
      gaps.push_back({"filesystems", mounts[i].mount_point, answers[i].error().code, answers[i].error().message});
      write_filesystem(document_, mounts[i], Usage{}, std::nullopt);
    } else if (answers[i].value().usage.f_blocks != 0 || mounts[i].mount_point == "/") {  // df, too, passes over what has no size
      const Usage usage = usage_of(answers[i].value().usage);
      write_filesystem(document_, mounts[i], usage, trend_of(mounts[i], usage));
    }
  }
  document_.end_array();
}

// The file system that each of them lies on, in its own words: a directory may be a symbolic link, or behind one.
void Disk::write_directories(const std::vector<Mount>& mounts, const std::vector<StatvfsProbe::Answer>& answers, Gaps& gaps) {
  if (settings_.directories.empty()) return;
  document_.key("directories").begin_array();
  std::size_t i = mounts.size();  // their answers stand behind those of the mounts
  for (const auto& [name, path] : settings_.directories) {
    const StatvfsProbe::Answer& answer = answers[i++];
    if (!answer) gaps.push_back({"directories", path, answer.error().code, answer.error().message});
    const std::uint64_t mount_id = answer ? answer.value().mount_id : 0;
    const auto mount =
        std::find_if(mounts.begin(), mounts.end(), [&](const Mount& each) { return each.id == std::to_string(mount_id); });
    const Usage usage = answer ? usage_of(answer.value().usage) : Usage{};
    document_.begin_object().member("name", name).member("path", path);
    document_.member("mount_point", mount == mounts.end() ? std::nullopt : std::optional(mount->mount_point));
    document_.member("total_bytes", usage.total_bytes).member("available_bytes", usage.available_bytes);
    const auto trend = mount == mounts.end() ? std::nullopt : growth_.last(name_of(*mount));
    document_.member("full_in_seconds", trend ? trend->seconds_to_full : std::nullopt).end_object();
  }
  document_.end_array();
}

Outcome Disk::collect(Run& run) {
  Gaps gaps;
  auto mounts_read = read_mounts(gaps);
  auto devices_read = read_devices(gaps);
  if (!mounts_read && !devices_read) return std::move(mounts_read).error();
  const auto mounts = value_or_gap(std::move(mounts_read), "filesystems", gaps);
  const auto devices = value_or_gap(std::move(devices_read), "devices", gaps);
  PGA_TRY(const auto answers, ask(mounts, run));

  document_.clear();
  document_.begin_object().member("type", "disk").member("timestamp", run.timestamp());
  write_filesystems(mounts, answers, gaps);
  write_directories(mounts, answers, gaps);
  write_devices(document_, devices);
  write_gaps(document_, gaps);
  document_.end_object();
  return run.emit(document_.text());
}

}  // namespace pganalytics::disk

PGA_DEFINE_PLUGIN(pganalytics::disk::Disk, "disk",
                  (pganalytics::PluginFacts{"0.1.0", "pgAnalytics", "How full file systems are, and what block devices do",
                                            "Apache-2.0", "https://github.com/pganalytics/pganalytics", "disk_usage",
                                            embedded::config_schema_json, embedded::output_schema_json,
                                            PGA_NEED_PROC | PGA_NEED_READ_FS, 0, 60'000, 10'000}))
