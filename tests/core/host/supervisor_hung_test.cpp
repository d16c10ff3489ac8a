// A worker that SIGKILL does not end: the kernel holds it. Made real with the freezer of cgroup v1, whose frozen tasks take no
// signal until they are thawed; where that is not writable the cases are skipped and say so.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

class Freezer {
 public:
  Freezer() : folder_("/sys/fs/cgroup/freezer/pganalytics-test-" + std::to_string(getpid())) {
    usable_ = mkdir(folder_.c_str(), 0700) == 0;
  }
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;
  ~Freezer() {
    if (!usable_) return;
    thaw();
    for (int i = 0; i < 1000 && rmdir(folder_.c_str()) != 0; ++i) usleep(1000);  // until the kernel has let go
  }

  [[nodiscard]] bool usable() const { return usable_; }
  void freeze(std::int64_t pid) {
    write("cgroup.procs", std::to_string(pid));
    write("freezer.state", "FROZEN");
  }
  void thaw() { write("freezer.state", "THAWED"); }

 private:
  void write(const std::string& file, const std::string& text) {
    std::ofstream out(folder_ + "/" + file);
    out << text << std::flush;
    if (!out) WARN("cannot write " + file);
  }

  std::string folder_;
  bool usable_ = false;
};

SupervisorOptions quick_options() {
  SupervisorOptions options = test_options();
  options.quiet_ms = 300;
  options.grace_ms = 200;
  return options;
}

// Workers of a plugin among our own children.
int workers_of(const std::string& id) {
  int count = 0;
  DIR* const proc = opendir("/proc");
  while (const dirent* entry = readdir(proc)) {
    std::ifstream stat("/proc/" + std::string(entry->d_name) + "/stat"),
        command("/proc/" + std::string(entry->d_name) + "/cmdline");
    std::string pid, name, state, parent, line;
    if (!(stat >> pid >> name >> state >> parent) || parent != std::to_string(getpid()) || state == "Z") continue;
    std::getline(command, line);
    count += line == std::string("pganalytics-worker") + '\0' + id + '\0' ? 1 : 0;
  }
  closedir(proc);
  return count;
}

}  // namespace

TEST_CASE("a worker that cannot be killed is hung: no twin, no waiting, the others go on; once it has gone there is another") {
  Freezer freezer;
  if (!freezer.usable()) {
    WARN("skipped: /sys/fs/cgroup/freezer is not writable");
    return;
  }
  TestSink sink;
  Supervisor supervisor(quick_options(), sink, clock::system_clock());
  supervisor.apply({settings_of("test_steady", "{}", 250), settings_of("test_unruly", R"({"do":"wait"})", 60'000, 400)});
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "running"; }));
  const std::int64_t pid = health_of(supervisor, "test_unruly").pid;
  freezer.freeze(pid);
  REQUIRE(turn_until(supervisor, [&] { return health_of(supervisor, "test_unruly").state == "hung"; }));
  // Its run is over, though the process is not.
  REQUIRE(sink.of("test_unruly").size() == 1);
  CHECK(sink.of("test_unruly")[0].failed);
  PluginHealth health = health_of(supervisor, "test_unruly");
  CHECK(health.pid == pid);
  CHECK(health.faults == 1);
  CHECK(health.failed_runs == 1);

  REQUIRE(supervisor.request_run("test_unruly", PGA_REASON_ONDEMAND));
  REQUIRE(turn_until(supervisor, [&] { return sink.of("test_unruly").size() == 2; }));
  CHECK(sink.of("test_unruly")[1].failed->code == "worker.hung");
  const std::size_t before = sink.good_runs("test_steady");
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_steady") >= before + 8; }));
  CHECK(health_of(supervisor, "test_steady").skipped_ticks == 0);
  CHECK(workers_of("test_unruly") == 1);
  CHECK(is_running(pid));

  freezer.thaw();
  REQUIRE(turn_until(supervisor, [&] {
    health = health_of(supervisor, "test_unruly");
    return health.pid != 0 && health.pid != pid;
  }));
  CHECK_FALSE(is_running(pid));
  CHECK(health.faults == 1);  // counted once
  CHECK(workers_of("test_unruly") == 1);
}

TEST_CASE("a host that ends does not wait for a worker that cannot be killed") {
  Freezer freezer;
  if (!freezer.usable()) {
    WARN("skipped: /sys/fs/cgroup/freezer is not writable");
    return;
  }
  TestSink sink;
  auto supervisor = std::make_unique<Supervisor>(quick_options(), sink, clock::system_clock());
  supervisor->apply({settings_of("test_steady", "{}", 250), settings_of("test_unruly", R"({"do":"wait"})", 60'000, 400)});
  REQUIRE(turn_until(*supervisor, [&] { return health_of(*supervisor, "test_unruly").state == "running"; }));
  const std::int64_t pid = health_of(*supervisor, "test_unruly").pid, steady = health_of(*supervisor, "test_steady").pid;
  freezer.freeze(pid);
  const std::int64_t before_ns = clock::now_monotonic_ns();
  supervisor->stop(1'000);
  CHECK(clock::now_monotonic_ns() - before_ns < 4'000'000'000);
  CHECK_FALSE(is_running(steady));
  supervisor.reset();
  CHECK(clock::now_monotonic_ns() - before_ns < 6'000'000'000);
  CHECK(is_running(pid));  // nothing can help that; init reaps it, or here, whoever is our parent
}
