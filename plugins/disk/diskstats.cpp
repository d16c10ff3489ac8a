#include "plugins/disk/diskstats.h"

#include <algorithm>
#include <limits>
#include <pganalytics/text.hpp>
#include <unordered_set>

namespace pganalytics::disk {
namespace {

constexpr std::uint64_t kSectorBytes = 512;  // whatever the device's own sectors: the kernel counts in these
constexpr std::size_t kToldMax = 3;          // broken lines told one by one
constexpr std::size_t kColumnsMin = 11;      // what every kernel since 2.6.25 has

struct Column {
  const char* key;
  std::uint64_t scale;
  BlockDevice::Count BlockDevice::*member;
};

// In the order of the file, after major, minor and name.
constexpr Column kColumns[] = {
    {"reads", 1, &BlockDevice::reads},
    {"reads_merged", 1, &BlockDevice::reads_merged},
    {"read_bytes", kSectorBytes, &BlockDevice::read_bytes},
    {"read_time_ms", 1, &BlockDevice::read_time_ms},
    {"writes", 1, &BlockDevice::writes},
    {"writes_merged", 1, &BlockDevice::writes_merged},
    {"write_bytes", kSectorBytes, &BlockDevice::write_bytes},
    {"write_time_ms", 1, &BlockDevice::write_time_ms},
    {"io_in_progress", 1, &BlockDevice::io_in_progress},
    {"io_time_ms", 1, &BlockDevice::io_time_ms},
    {"weighted_io_time_ms", 1, &BlockDevice::weighted_io_time_ms},
    {"discards", 1, &BlockDevice::discards},
    {"discards_merged", 1, &BlockDevice::discards_merged},
    {"discarded_bytes", kSectorBytes, &BlockDevice::discarded_bytes},
    {"discard_time_ms", 1, &BlockDevice::discard_time_ms},
    {"flushes", 1, &BlockDevice::flushes},
    {"flush_time_ms", 1, &BlockDevice::flush_time_ms},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix && is_digit(name[prefix.size()]);
}

// The disk that a partition of this name belongs to: sda1 to sda, nvme0n1p1 to nvme0n1. Only a name; may be no device at all.
std::string_view stem_of(std::string_view name) {
  std::string_view stem = name;
  while (!stem.empty() && is_digit(stem.back())) stem.remove_suffix(1);
  if (stem.size() == name.size() || stem.empty()) return {};
  // The kernel puts a "p" between two numbers.
  if (stem.size() > 1 && stem.back() == 'p' && is_digit(stem[stem.size() - 2])) stem.remove_suffix(1);
  return stem;
}

void classify(BlockDevice& device, const std::unordered_set<std::string>& known) {
  const std::string stem(stem_of(device.name));
  if (known.count(stem) != 0) {  // the kernel lists a disk before its partitions
    device.kind = "partition";
    device.parent = stem;
  } else if (is_numbered(device.name, "dm-")) {
    device.kind = "dm";
  } else if (is_numbered(device.name, "md")) {
    device.kind = "md";
  } else if (is_numbered(device.name, "loop")) {
    device.kind = "loop";
  } else if (is_numbered(device.name, "ram") || is_numbered(device.name, "zram")) {
    device.kind = "ram";
  } else {
    device.kind = "disk";
  }
}

bool take_columns(std::string_view line, BlockDevice& device) {
  std::size_t columns = 0;
  for (const Column& column : kColumns) {
    const std::string_view word = next_word(line);
    if (word.empty()) break;
    const auto number = to_number<std::uint64_t>(word);
    if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / column.scale) return false;
    device.*column.member = *number * column.scale;
    ++columns;
  }
  return columns >= kColumnsMin;
}

std::optional<BlockDevice> parse_device(std::string_view line) {
  BlockDevice device;
  const std::string_view major = next_word(line);
  const std::string_view minor = next_word(line);
  if (!to_number<std::uint32_t>(major) || !to_number<std::uint32_t>(minor)) return std::nullopt;
  device.device_number = std::string(major) + ":" + std::string(minor);
  device.name = next_word(line);
  if (device.name.empty() || !take_columns(line, device)) return std::nullopt;
  return device;
}

bool is_idle(const BlockDevice& device) {
  return std::all_of(std::begin(kColumns), std::end(kColumns),
                     [&](const Column& column) { return (device.*column.member).value_or(0) == 0; });
}

}  // namespace

std::vector<BlockDevice> parse_diskstats(std::string_view text, Gaps& gaps) {
  std::vector<BlockDevice> devices;
  std::unordered_set<std::string> known;
  std::size_t broken = 0;
  std::size_t number = 0;
  while (const auto line = next_line(text)) {
    ++number;
    auto device = parse_device(*line);
    if (!device) {
      if (++broken <= kToldMax) {
        gaps.push_back({"devices", "", "proc.malformed", "diskstats line " + std::to_string(number) + " is not understood"});
      }
      continue;
    }
    classify(*device, known);
    known.insert(device->name);
    if ((device->kind == "loop" || device->kind == "ram") && is_idle(*device)) continue;
    devices.push_back(*std::move(device));
  }
  if (broken > kToldMax) {
    gaps.push_back(
        {"devices", "", "proc.malformed", "diskstats has " + std::to_string(broken) + " lines that are not understood"});
  }
  return devices;
}

void write_counters(JsonWriter& writer, const BlockDevice& device) {
  writer.member("name", device.name).member("kind", device.kind);
  writer.member("parent", text_or_null(device.parent));
  writer.member("device_number", device.device_number);
  for (const Column& column : kColumns) writer.member(column.key, device.*column.member);
}

}  // namespace pganalytics::disk
