// Control groups, version 2: a systemd unit's, a container's, and what is none.
#include "plugins/sysstat/cgroup.h"

#include <string>

#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;
using testing::recorded_tree;

namespace {

constexpr char kUnit[] = "/system.slice/system-postgresql.slice/postgresql@15-main.service";

}  // namespace

TEST_CASE("the path is that of version 2, whatever hierarchies of version 1 stand beside it") {
  CHECK(parse_cgroup_path("0::/system.slice/a.service\n") == "/system.slice/a.service");
  CHECK(parse_cgroup_path("9:name=systemd:/x\n4:memory:/y\n0::/z\n") == "/z");
  CHECK(parse_cgroup_path("0::/\n") == "/");
  CHECK_FALSE(parse_cgroup_path("4:memory:/y\n"));
  CHECK_FALSE(parse_cgroup_path(""));
}

TEST_CASE("a unit with limits") {
  Gaps gaps;
  const Tree sys(recorded_tree("database_host/sys"));
  CHECK(has_cgroup_v2(sys));
  const auto cgroup = read_cgroup(sys, kUnit, gaps);
  REQUIRE(cgroup);
  CHECK(gaps.empty());
  CHECK(cgroup->memory_bytes == 21474836480u);
  CHECK(cgroup->limits.memory_max_bytes == 34359738368u);
  CHECK_FALSE(cgroup->limits.memory_high_bytes);  // "max"
  CHECK(cgroup->swap_bytes == 0u);
  CHECK(cgroup->memory_max_hits == 17u);
  CHECK(cgroup->oom_kills == 1u);
  CHECK(cgroup->limits.cpu_max == 2.5);
  CHECK(cgroup->cpu_usage_us == 912003311u);
  CHECK(cgroup->cpu_periods == 5000u);
  CHECK(cgroup->cpu_throttled_periods == 120u);
  CHECK(cgroup->cpu_throttled_us == 4400210u);
  CHECK(cgroup->io_some_us == 91203u);
  CHECK(cgroup->io_full_us == 70012u);
}

TEST_CASE("a container is the root of what it sees, and a controller that it lacks leaves nulls") {
  Gaps gaps;
  const auto cgroup = read_cgroup(Tree(recorded_tree("container/sys")), "/", gaps);
  REQUIRE(cgroup);
  CHECK(cgroup->limits.memory_max_bytes == 536870912u);
  CHECK(cgroup->limits.cpu_max == 0.5);
  CHECK(cgroup->oom_kills == 3u);
  CHECK_FALSE(cgroup->swap_bytes);
  CHECK_FALSE(cgroup->io_some_us);
  CHECK(gaps.empty());
}

TEST_CASE("the root group of a host, and a path that leads out of the mount, have no figures") {
  Gaps gaps;
  const Tree sys(recorded_tree("database_host/sys"));
  CHECK_FALSE(read_cgroup(sys, "/", gaps));
  CHECK_FALSE(read_cgroup(sys, "/../../etc", gaps));
  CHECK_FALSE(read_cgroup(sys, "/system.slice/..", gaps));
  CHECK_FALSE(read_cgroup(sys, "", gaps));
  CHECK_FALSE(read_cgroup(sys, "/nowhere", gaps));
  CHECK(read_cgroup(sys, std::string(kUnit) + "/", gaps));
}

TEST_CASE("no path leads out of the file system of groups, whatever lies there") {
  const testing::FakeProc sys;
  sys.write("fs/cgroup/cgroup.controllers", "memory\n");
  sys.write("fs/cgroup/inside/memory.current", "1\n");
  sys.write("fs/outside/memory.current", "1\n");
  Gaps gaps;
  CHECK(read_cgroup(Tree(sys.path("")), "/inside", gaps));
  CHECK_FALSE(read_cgroup(Tree(sys.path("")), "/../outside", gaps));
  CHECK_FALSE(read_cgroup(Tree(sys.path("")), "/inside/../../outside", gaps));
}

TEST_CASE("limits of processors") {
  CHECK(parse_cpu_max("250000 100000\n") == 2.5);
  for (const char* none : {"max 100000\n", "", "100000\n", "100000 0\n", "-1 100000\n"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_cpu_max(none));
  }
}

TEST_CASE("a host with version 1 has none") {
  const testing::FakeProc empty;
  CHECK_FALSE(has_cgroup_v2(Tree(empty.path(""))));
}
