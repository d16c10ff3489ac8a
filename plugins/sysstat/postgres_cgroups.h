// The control groups that matter to a database: those of PostgreSQL's servers, the collector's own (in a container, the
// container's), and those above them that set a limit.
//
// Here: which ones, and the effective limits of each. Not here: reading one (cgroup.h). Any thread.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

#include "plugins/sysstat/cgroup.h"
#include "plugins/sysstat/gap.h"
#include "plugins/sysstat/tree.h"

namespace pganalytics::sysstat {

struct CgroupOf {
  std::string path;
  const char* of = "";  // "postgresql" (also if it is the collector's too), "collector", or "above" one of these
  Cgroup cgroup;
};

// By path. A group without figures is left out (read_cgroup()). What we may not read is told in `gaps`.
std::vector<CgroupOf> read_postgres_cgroups(const Tree& proc, const Tree& sys, const std::set<pid_t>& postmasters, Gaps& gaps);

}  // namespace pganalytics::sysstat
