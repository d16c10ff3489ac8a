// Real control groups, in a folder that the test makes; skipped, and said so, where cgroup v2 is not writable.
#include "core/host/worker_groups.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "core/host/supervisor.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

class GroupFolder {
 public:
  GroupFolder() {
    for (const char* const mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      path = std::string(mount) + "/pganalytics-test-" + std::to_string(getpid());
      if (access((std::string(mount) + "/cgroup.subtree_control").c_str(), W_OK) == 0 && mkdir(path.c_str(), 0755) == 0) return;
    }
    path.clear();
    WARN("skipped: no writable cgroup v2 here");
  }
  GroupFolder(const GroupFolder&) = delete;
  GroupFolder& operator=(const GroupFolder&) = delete;
  ~GroupFolder() {
    if (!path.empty()) rmdir(path.c_str());
  }
  std::string path;
};

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the end of a group ends all that is in it, also who left session and process group, and removes it") {
  const GroupFolder folder;
  if (folder.path.empty()) return;
  auto groups = WorkerGroups::in(folder.path);
  REQUIRE(groups);
  auto group = groups->make("acme", Confinement());
  REQUIRE(group);
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  const pid_t child = fork();
  if (child == 0) {
    char go = 0;
    if (read(pipes[0], &go, 1) != 1) _exit(1);
    if (fork() == 0) setsid();
    for (;;) pause();
  }
  REQUIRE((*group)->add(child));
  REQUIRE(write(pipes[1], "g", 1) == 1);
  const std::string members = folder.path + "/worker-acme/cgroup.procs";
  REQUIRE(testing::eventually([&] {
    const std::string text = text_of(members);
    return std::count(text.begin(), text.end(), '\n') == 2;
  }));
  (*group)->kill();
  CHECK(waitpid(child, nullptr, 0) == child);
  group->reset();
  CHECK_FALSE(exists(folder.path + "/worker-acme"));
  close(pipes[0]);
  close(pipes[1]);
}

TEST_CASE("what a host before left is removed, what is not a worker's stays") {
  const GroupFolder folder;
  if (folder.path.empty()) return;
  REQUIRE(mkdir((folder.path + "/worker-old").c_str(), 0755) == 0);
  REQUIRE(mkdir((folder.path + "/other").c_str(), 0755) == 0);
  REQUIRE(WorkerGroups::in(folder.path));
  CHECK_FALSE(exists(folder.path + "/worker-old"));
  CHECK(exists(folder.path + "/other"));
  rmdir((folder.path + "/other").c_str());
}

TEST_CASE("a folder that is no control group is refused") {
  CHECK_FALSE(WorkerGroups::in("/nonexistent"));
  CHECK_FALSE(WorkerGroups::in("/tmp"));
}

TEST_CASE("a worker lives in a group of its own, for as long as it lives") {
  const GroupFolder folder;
  if (folder.path.empty()) return;
  TestSink sink;
  SupervisorOptions options = test_options();
  options.cgroup_folder = folder.path;
  Supervisor supervisor(options, sink, clock::system_clock());
  supervisor.apply({settings_of("test_counter", "{}", 100)});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  const std::string group = "/worker-test_counter";
  CHECK(text_of(folder.path + group + "/cgroup.procs") == std::to_string(health_of(supervisor, "test_counter").pid) + "\n");
  supervisor.stop(5'000);
  CHECK_FALSE(exists(folder.path + group));
}
