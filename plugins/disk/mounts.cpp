#include "plugins/disk/mounts.h"

#include <fnmatch.h>

#include <algorithm>
#include <pganalytics/text.hpp>
#include <unordered_map>

namespace pganalytics::disk {
namespace {

constexpr std::size_t kToldMax = 3;         // broken lines told one by one
constexpr std::size_t kMountsMax = 20'000;  // looked at; finding covered ones costs the square

// No storage behind them, or none that could fill up for lack of deleting.
constexpr std::string_view kPseudoTypes[] = {
    "autofs", "bdev",     "binder",     "binfmt_misc", "bpf",       "cgroup",  "cgroup2", "configfs", "debugfs",
    "devpts", "efivarfs", "fuse.lxcfs", "fusectl",     "hugetlbfs", "mqueue",  "nsfs",    "pipefs",   "proc",
    "pstore", "resctrl",  "rpc_pipefs", "securityfs",  "selinuxfs", "smackfs", "sockfs",  "sysfs",    "tracefs"};

// mountinfo writes blank, tab, newline, backslash and # as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  const auto octal = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '7'; };
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && text.size() - i > 3 && text[i + 1] <= '3' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// Cuts off what goes before the next blank. Not next_word(): a device may have the empty name, between two blanks.
std::string_view next_field(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t end = options.find(',');
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(end == std::string_view::npos ? options.size() : end + 1);
  }
  return false;
}

bool is_device_number(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && to_number<std::uint32_t>(text.substr(0, colon)) &&
         to_number<std::uint32_t>(text.substr(colon + 1));
}

// "36 35 98:0 /root /mount\040point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue"
std::optional<Mount> parse_mount(std::string_view line) {
  Mount mount;
  mount.id = next_field(line);
  mount.parent_id = next_field(line);
  mount.device_number = next_field(line);
  mount.root = unescaped(next_field(line));
  mount.mount_point = unescaped(next_field(line));
  mount.options = next_field(line);
  while (!line.empty() && next_field(line) != "-") {
  }  // any number of optional fields
  mount.type = unescaped(next_field(line));
  mount.device = unescaped(next_field(line));
  mount.read_only = has_option(line, "ro");
  const bool numbers = to_number<std::uint32_t>(mount.id) && to_number<std::uint32_t>(mount.parent_id);
  const bool whole = numbers && is_device_number(mount.device_number) && !mount.mount_point.empty() &&
                     mount.mount_point[0] == '/' && !mount.type.empty() && mount.mount_point.find('\0') == std::string::npos;
  return whole ? std::optional(mount) : std::nullopt;
}

bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return ::fnmatch(glob.c_str(), text.c_str(), 0) == 0; });
}

bool is_pseudo(const std::string& type) {
  return std::find(std::begin(kPseudoTypes), std::end(kPseudoTypes), type) != std::end(kPseudoTypes);
}

bool is_wanted(const Mount& mount, const MountFilter& filter) {
  if (matches_any(filter.exclude_mount_points, mount.mount_point)) return false;
  if (!matches_any(filter.include_mount_points, mount.mount_point)) return false;
  if (mount.mount_point == "/") return true;
  if (is_pseudo(mount.type) || matches_any(filter.exclude_types, mount.type)) return false;
  return matches_any(filter.include_types, mount.type);
}

// `later` lies over `earlier`: on the same directory, or on one above it within the same parent mount.
bool covers(const Mount& later, const Mount& earlier) {
  if (later.mount_point == earlier.mount_point) return true;
  const std::string above = later.mount_point + "/";
  return later.parent_id == earlier.parent_id && earlier.mount_point.compare(0, above.size(), above) == 0;
}

bool is_better(const Mount& candidate, const Mount& kept) {
  if ((candidate.root == "/") != (kept.root == "/")) return candidate.root == "/";
  return candidate.mount_point.size() < kept.mount_point.size();
}

}  // namespace

std::vector<Mount> parse_mounts(std::string_view text, Gaps& gaps) {
  std::vector<Mount> mounts;
  std::size_t broken = 0;
  std::size_t number = 0;
  while (const auto line = next_line(text)) {
    ++number;
    if (mounts.size() == kMountsMax) {
      gaps.push_back({"filesystems", "", "disk.limit", "mountinfo has more than " + std::to_string(kMountsMax) + " mounts"});
      break;
    }
    if (auto mount = parse_mount(*line)) {
      mounts.push_back(*std::move(mount));
    } else if (++broken <= kToldMax) {
      gaps.push_back({"filesystems", "", "proc.malformed", "mountinfo line " + std::to_string(number) + " is not understood"});
    }
  }
  if (broken > kToldMax) {
    gaps.push_back(
        {"filesystems", "", "proc.malformed", "mountinfo has " + std::to_string(broken) + " lines that are not understood"});
  }
  return mounts;
}

std::vector<Mount> choose_mounts(const std::vector<Mount>& mounts, const MountFilter& filter) {
  std::vector<Mount> chosen;
  std::unordered_map<std::string, std::size_t> place_of;  // device number -> index in chosen
  for (auto mount = mounts.begin(); mount != mounts.end(); ++mount) {
    if (!is_wanted(*mount, filter)) continue;
    if (std::any_of(mount + 1, mounts.end(), [&](const Mount& later) { return covers(later, *mount); })) continue;
    const auto [known, is_new] = place_of.emplace(mount->device_number, chosen.size());
    if (is_new) {
      chosen.push_back(*mount);
    } else if (is_better(*mount, chosen[known->second])) {
      chosen[known->second] = *mount;
    }
  }
  for (const Mount& mount : mounts) {
    const auto known = place_of.find(mount.device_number);
    if (known != place_of.end()) chosen[known->second].ids.push_back(mount.id);
  }
  return chosen;
}

}  // namespace pganalytics::disk
