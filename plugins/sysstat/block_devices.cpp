#include "plugins/sysstat/block_devices.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "plugins/sysstat/count.h"

namespace pganalytics::sysstat {
namespace {

constexpr std::uint64_t kSectorBytes = 512;  // whatever the device's own sectors: the kernel counts in these

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix && is_digit(name[prefix.size()]);
}

// The disk that a partition of this name belongs to: sda1 to sda, nvme0n1p1 to nvme0n1. Only a name; may be no device at all.
std::string_view stem_of(std::string_view name) {
  std::string_view stem = name;
  while (!stem.empty() && is_digit(stem.back())) stem.remove_suffix(1);
  if (stem.size() == name.size() || stem.empty()) return {};
  if (stem.size() > 1 && stem.back() == 'p' && is_digit(stem[stem.size() - 2])) stem.remove_suffix(1);  // between two numbers
  return stem;
}

// Null for what is no device of our interest.
const char* kind_of(std::string_view name) {
  if (is_numbered(name, "dm-")) return "dm";
  if (is_numbered(name, "md")) return "md";
  for (const char* not_a_disk : {"loop", "ram", "zram"}) {
    if (is_numbered(name, not_a_disk)) return nullptr;
  }
  return "disk";
}

// In the order of the file: reads, of them merged, sectors, milliseconds, the same of writes, in progress, busy, queue.
bool take_columns(std::string_view line, BlockDevice& device) {
  constexpr std::size_t kColumns = 11;  // what every kernel since 2.6.25 has
  std::array<std::uint64_t, kColumns> column{};
  for (std::size_t i = 0; i < kColumns; ++i) {
    const auto number = to_count(next_word(line), i == 2 || i == 6 ? kSectorBytes : 1);
    if (!number) return false;
    column[i] = *number;
  }
  device.reads = column[0];
  device.read_bytes = column[2];
  device.read_ms = column[3];
  device.writes = column[4];
  device.write_bytes = column[6];
  device.write_ms = column[7];
  device.in_progress = column[8];
  device.busy_ms = column[9];
  device.queue_ms = column[10];
  return true;
}

// A counter of milliseconds has wrapped if it fell from the upper to the lower half of 32 bits; any other fall counts as not
// moved.
double moved_ms(std::uint64_t before, std::uint64_t after) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  if (after >= before) return static_cast<double>(after - before);
  if (before < kWrap && before >= kWrap / 2 && after < kWrap / 2) return static_cast<double>(kWrap - before + after);
  return 0;
}

double moved(std::uint64_t before, std::uint64_t after) { return after > before ? static_cast<double>(after - before) : 0; }

std::optional<double> rounded(double number) { return std::round(number * 1e4) / 1e4; }

std::optional<double> mean(double sum, double count) { return count > 0 ? rounded(sum / count) : std::nullopt; }

}  // namespace

std::vector<BlockDevice> parse_block_devices(std::string_view text, Gaps& gaps) {
  std::vector<BlockDevice> devices;
  std::unordered_set<std::string_view> names;
  std::size_t broken = 0;
  while (auto line = next_line(text)) {
    const auto major = to_number<std::uint32_t>(next_word(*line));
    const auto minor = to_number<std::uint32_t>(next_word(*line));
    const std::string_view name = next_word(*line);
    BlockDevice device;
    if (!major || !minor || name.empty() || !take_columns(*line, device)) {
      ++broken;
      continue;
    }
    const bool is_partition = names.count(stem_of(name)) != 0;  // the kernel lists a disk before its partitions
    const bool is_new = names.insert(name).second;
    const char* const kind = kind_of(name);
    if (is_partition || !is_new || kind == nullptr || device.reads + device.writes + device.in_progress == 0) continue;
    device.name = name;
    device.kind = kind;
    devices.push_back(std::move(device));
  }
  if (broken > 0) {
    gaps.push_back(
        {"devices", "proc.malformed", "diskstats has " + std::to_string(broken) + " lines that are not understood", ""});
  }
  return devices;
}

BlockActivity block_activity(const BlockDevice& before, const BlockDevice& after, double seconds) {
  if (seconds <= 0 || after.reads < before.reads || after.writes < before.writes) return {};
  const double interval_ms = seconds * 1000;
  const double reads = moved(before.reads, after.reads);
  const double writes = moved(before.writes, after.writes);
  BlockActivity activity;
  activity.reads_per_second = rounded(reads / seconds);
  activity.writes_per_second = rounded(writes / seconds);
  activity.read_bytes_per_second = rounded(moved(before.read_bytes, after.read_bytes) / seconds);
  activity.write_bytes_per_second = rounded(moved(before.write_bytes, after.write_bytes) / seconds);
  activity.read_await_ms = mean(moved_ms(before.read_ms, after.read_ms), reads);
  activity.write_await_ms = mean(moved_ms(before.write_ms, after.write_ms), writes);
  // The kernel counts a request's time when it ends: a share may come out above the whole.
  activity.utilization = rounded(std::min(moved_ms(before.busy_ms, after.busy_ms) / interval_ms, 1.0));
  activity.queue_length = rounded(moved_ms(before.queue_ms, after.queue_ms) / interval_ms);
  return activity;
}

void to_json(JsonWriter& writer, const BlockDevice& device, const BlockActivity& activity) {
  writer.begin_object();
  writer.member("name", device.name).member("kind", device.kind);
  writer.member("reads", device.reads).member("read_bytes", device.read_bytes);
  writer.member("writes", device.writes).member("write_bytes", device.write_bytes);
  writer.member("io_in_progress", device.in_progress);
  writer.member("reads_per_second", activity.reads_per_second).member("writes_per_second", activity.writes_per_second);
  writer.member("read_bytes_per_second", activity.read_bytes_per_second);
  writer.member("write_bytes_per_second", activity.write_bytes_per_second);
  writer.member("read_await_ms", activity.read_await_ms).member("write_await_ms", activity.write_await_ms);
  writer.member("utilization", activity.utilization).member("queue_length", activity.queue_length);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
