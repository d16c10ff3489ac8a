// Limits and usage of a control group, version 2 (Documentation/admin-guide/cgroup-v2.rst), as a container or a systemd unit is
// one.
//
// Here: which group a process is in, the reader of a group's files, what the groups above it allow, the writer. Not here: whose
// groups are of interest (postgres_cgroups.h). Any thread.
#pragma once

#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sysstat/count.h"
#include "plugins/sysstat/gap.h"
#include "plugins/sysstat/tree.h"

namespace pganalytics::sysstat {

// Of /proc/PID/cgroup: the path below the root of version 2, "/system.slice/postgresql.service". nullopt: it says none.
std::optional<std::string> parse_cgroup_path(std::string_view cgroup);

// `sys` has version 2 at fs/cgroup, and nothing else there ("unified").
bool has_cgroup_v2(const Tree& sys);

// cpu.max: "250000 100000" is 2.5 processors. nullopt: "max", or not understood.
std::optional<double> parse_cpu_max(std::string_view cpu_max);

// What a group may use. Null: no limit.
struct CgroupLimits {
  Count memory_max_bytes, memory_high_bytes, pids_max;
  std::optional<double> cpu_max;  // processors

  [[nodiscard]] bool any() const { return memory_max_bytes || memory_high_bytes || pids_max || cpu_max; }
};
CgroupLimits least(const CgroupLimits& one, const CgroupLimits& other);

// Its own: what its files say. Of the root of a host, which has no such files, none. What we may not read is told in `gaps`.
CgroupLimits read_limits(const Tree& sys, const std::string& path, Gaps& gaps);

// The groups above "/a/b/c": "/a/b", "/a", "/". Of "/" none.
std::vector<std::string> groups_above(const std::string& path);

// Null where the group lacks the file (its controller is not enabled for it); a limit is null also where it says "max", no limit.
// Memory in bytes; counters since the group was made.
struct Cgroup {
  CgroupLimits limits;     // its own
  CgroupLimits effective;  // the least of its own and those of the groups above it, as far as the mount shows them
  Count memory_bytes, swap_bytes, pids;
  Count memory_high_hits, memory_max_hits, oom_kills;
  Count cpu_usage_us, cpu_periods, cpu_throttled_periods, cpu_throttled_us;
  Count cpu_some_us, cpu_full_us, memory_some_us, memory_full_us, io_some_us, io_full_us;  // pressure of the group's own tasks
};

// nullopt if there are no figures: the root group of a host has no limits and no usage of its own, and a path that leads out of
// what this mount shows ("/../x") cannot be followed. What we may not read is told in `gaps`.
std::optional<Cgroup> read_cgroup(const Tree& sys, const std::string& path, Gaps& gaps);

void to_json(JsonWriter& writer, const std::string& path, const char* of, const Cgroup& cgroup);

}  // namespace pganalytics::sysstat
