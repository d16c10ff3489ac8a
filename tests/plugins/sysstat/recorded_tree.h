// The recorded trees in trees/: /proc and /sys of a machine, cut to what is read.
#pragma once

#include <string>

#include "plugins/sysstat/tree.h"
#include "tests/support/catch.h"

namespace pganalytics::testing {

// "database_host/proc": Debian with two PostgreSQL servers, cgroup v2, NVMe under LVM, and processor 2 offline.
// "container/proc": PostgreSQL as process 1 of a container; no PSI, no I/O figures.
inline std::string recorded_tree(const std::string& name) {
  return std::string(PGANALYTICS_SOURCE_DIR) + "/tests/plugins/sysstat/trees/" + name;
}

inline std::string recorded_text(const std::string& path) {
  const auto text = sysstat::Tree(recorded_tree("")).read(path);
  REQUIRE(text);
  return *text;
}

}  // namespace pganalytics::testing
