#include "plugins/disk/storage.h"

#include <dirent.h>

#include <algorithm>
#include <memory>
#include <pganalytics/text.hpp>

namespace pganalytics::disk {
namespace {

// Real ones have two or three layers and a handful of disks; a hostile /sys is no reason to walk for ever.
constexpr int kLayersMax = 8;
constexpr std::size_t kDisksMax = 64;
constexpr std::size_t kNameMaxBytes = 4096;

const BlockDevice* device_named(const std::vector<BlockDevice>& devices, std::string_view name) {
  const auto found = std::find_if(devices.begin(), devices.end(), [&](const BlockDevice& device) { return device.name == name; });
  return found == devices.end() ? nullptr : &*found;
}

// "/dev/sda3", or "/dev/mapper/vg-data", which is the name of a dm-0.
const BlockDevice* device_mounted(const std::string& path, const std::vector<BlockDevice>& devices, const std::string& sys_path) {
  constexpr std::string_view kDev = "/dev/";
  if (path.compare(0, kDev.size(), kDev) != 0) return nullptr;
  const std::string name = path.substr(path.rfind('/') + 1);
  if (const BlockDevice* const device = device_named(devices, name)) return device;
  for (const BlockDevice& device : devices) {
    if (device.kind != "dm") continue;
    const auto mapped = read_text(sys_path + "/class/block/" + device.name + "/dm/name", kNameMaxBytes);
    if (mapped && *mapped == name + "\n") return &device;
  }
  return nullptr;
}

const BlockDevice* device_under(const Mount& mount, const std::vector<BlockDevice>& devices, const std::string& sys_path) {
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const BlockDevice& device) { return device.device_number == mount.device_number; });
  return found != devices.end() ? &*found : device_mounted(mount.device, devices, sys_path);
}

// Names in the folder, sorted: readdir() has no order.
std::vector<std::string> slaves_of(const std::string& name, const std::string& sys_path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir((sys_path + "/class/block/" + name + "/slaves").c_str()), closedir);
  if (!folder) return names;
  while (const dirent* const entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Disks {
 public:
  Disks(const std::vector<BlockDevice>& devices, const std::string& sys_path) : devices_(devices), sys_path_(sys_path) {}

  void add(const std::string& name, int layer) {
    if (layer > kLayersMax || disks_.size() >= kDisksMax) return;
    const BlockDevice* const device = device_named(devices_, name);
    const std::string& whole = device != nullptr && device->kind == "partition" ? device->parent : name;
    const auto below = slaves_of(whole, sys_path_);
    for (const std::string& slave : below) add(slave, layer + 1);
    if (below.empty() && std::find(disks_.begin(), disks_.end(), whole) == disks_.end()) disks_.push_back(whole);
  }
  std::vector<std::string> take() { return std::move(disks_); }

 private:
  const std::vector<BlockDevice>& devices_;
  const std::string& sys_path_;
  std::vector<std::string> disks_;
};

}  // namespace

Storage storage_of(const Mount& mount, const std::vector<BlockDevice>& devices, const std::string& sys_path) {
  Storage storage;
  storage.device = device_under(mount, devices, sys_path);
  if (storage.device == nullptr) return storage;
  Disks disks(devices, sys_path);
  disks.add(storage.device->name, 0);
  storage.disks = disks.take();
  return storage;
}

}  // namespace pganalytics::disk
