// Which control groups are told, and what they may use once those above them have their say.
#include "plugins/sysstat/postgres_cgroups.h"

#include <algorithm>
#include <string>

#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

constexpr pid_t kPostmaster = 901;

// A host whose operator limits a slice: the unit in it says more than it gets.
class Host {
 public:
  Host() {
    proc.write("901/cgroup", "0::/db.slice/pg.slice/pg.service\n");
    proc.write("self/cgroup", "0::/system.slice/pganalytics.service\n");
    group("db.slice", "memory.current", "700\n");
    group("db.slice", "memory.max", "1000\n");
    group("db.slice", "memory.high", "max\n");
    group("db.slice", "cpu.max", "150000 100000\n");
    group("db.slice", "cpu.stat", "usage_usec 9\nnr_periods 8\nnr_throttled 7\nthrottled_usec 6\n");
    group("db.slice", "memory.events", "low 0\nhigh 4\nmax 5\noom 1\noom_kill 2\n");
    group("db.slice/pg.slice", "memory.current", "600\n");
    group("db.slice/pg.slice", "memory.max", "max\n");
    group("db.slice/pg.slice", "pids.max", "max\n");
    group("db.slice/pg.slice", "cpu.max", "max 100000\n");
    group("db.slice/pg.slice/pg.service", "memory.current", "500\n");
    group("db.slice/pg.slice/pg.service", "memory.max", "4000\n");
    group("db.slice/pg.slice/pg.service", "memory.high", "900\n");
    group("db.slice/pg.slice/pg.service", "pids.current", "31\n");
    group("db.slice/pg.slice/pg.service", "pids.max", "400\n");
    group("db.slice/pg.slice/pg.service", "cpu.max", "max 100000\n");
    group("db.slice/pg.slice/pg.service", "cpu.pressure", "some avg10=0 total=3\nfull avg10=0 total=2\n");
    group("system.slice/pganalytics.service", "memory.current", "50\n");
    group("system.slice/pganalytics.service", "memory.max", "max\n");
    sys.write("fs/cgroup/cgroup.controllers", "cpu memory pids\n");
  }
  void group(const std::string& path, const std::string& file, const std::string& text) const {
    sys.write("fs/cgroup/" + path + "/" + file, text);
  }
  [[nodiscard]] std::vector<CgroupOf> read() const {
    return read_postgres_cgroups(Tree(proc.path("")), Tree(sys.path("")), {kPostmaster}, gaps);
  }

  testing::FakeProc proc, sys;
  mutable Gaps gaps;
};

const CgroupOf& named(const std::vector<CgroupOf>& groups, const std::string& path) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const CgroupOf& each) { return each.path == path; });
  INFO(path);
  REQUIRE(found != groups.end());
  return *found;
}

}  // namespace

TEST_CASE("what a group may use is the least along its path") {
  const Host host;
  const auto groups = host.read();
  const CgroupOf& service = named(groups, "/db.slice/pg.slice/pg.service");
  CHECK(std::string(service.of) == "postgresql");
  CHECK(service.cgroup.limits.memory_max_bytes == 4000u);
  CHECK(service.cgroup.effective.memory_max_bytes == 1000u);
  CHECK(service.cgroup.effective.memory_high_bytes == 900u);
  CHECK(service.cgroup.limits.pids_max == 400u);
  CHECK(service.cgroup.effective.pids_max == 400u);
  CHECK(service.cgroup.pids == 31u);
  CHECK_FALSE(service.cgroup.limits.cpu_max);
  CHECK(service.cgroup.effective.cpu_max == 1.5);
  CHECK(service.cgroup.cpu_some_us == 3u);
  CHECK(service.cgroup.cpu_full_us == 2u);

  const CgroupOf& ours = named(groups, "/system.slice/pganalytics.service");
  CHECK(std::string(ours.of) == "collector");
  CHECK_FALSE(ours.cgroup.effective.any());
  CHECK(host.gaps.empty());
}

TEST_CASE("a group above that sets a limit is told with its own usage; one that sets none is not") {
  const auto groups = Host().read();
  CHECK(groups.size() == 3);
  const CgroupOf& slice = named(groups, "/db.slice");
  CHECK(std::string(slice.of) == "above");
  CHECK(slice.cgroup.memory_bytes == 700u);
  CHECK(slice.cgroup.limits.memory_max_bytes == 1000u);
  CHECK(slice.cgroup.cpu_throttled_periods == 7u);
  CHECK(slice.cgroup.memory_high_hits == 4u);
  CHECK(slice.cgroup.memory_max_hits == 5u);
  CHECK(slice.cgroup.oom_kills == 2u);
}

TEST_CASE("a group that is somebody's stays so, though it is above another") {
  const Host host;
  host.proc.write("self/cgroup", "0::/db.slice\n");
  const auto groups = host.read();
  CHECK(groups.size() == 2);
  CHECK(std::string(named(groups, "/db.slice").of) == "collector");
}

TEST_CASE("the limit above a server is told where its own group has no figures") {
  const Host host;
  host.proc.write("901/cgroup", "0::/db.slice/session.scope\n");
  const auto groups = host.read();
  CHECK(groups.size() == 2);
  CHECK(std::string(named(groups, "/db.slice").of) == "above");
}

TEST_CASE("the root of a container's view is above all of it") {
  const Host host;
  host.group("", "memory.current", "2000\n");
  host.group("", "memory.max", "800\n");
  const auto groups = host.read();
  CHECK(std::string(named(groups, "/").of) == "above");
  CHECK(named(groups, "/db.slice/pg.slice/pg.service").cgroup.effective.memory_max_bytes == 800u);
  CHECK(named(groups, "/system.slice/pganalytics.service").cgroup.effective.memory_max_bytes == 800u);
}

TEST_CASE("the groups above one") {
  CHECK(groups_above("/a/b/c") == std::vector<std::string>{"/a/b", "/a", "/"});
  CHECK(groups_above("/a") == std::vector<std::string>{"/"});
  CHECK(groups_above("/").empty());
}
