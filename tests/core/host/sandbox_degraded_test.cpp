// Kernels with less than all of the sandbox: workers start, what can be refused is, and the rest is told.
#include <cerrno>

#include "tests/core/host/probe_worker.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

WorkerPolicy policy_at(std::uint32_t landlock_abi, std::uint32_t needs = 0) {
  auto policy = policy_of(probing(needs));
  REQUIRE(policy);
  policy->landlock_abi_max = landlock_abi;
  return *policy;
}

}  // namespace

TEST_CASE("each older Landlock is told with what it does not limit") {
  struct Case {
    std::uint32_t abi;
    const char* gap;  // "": none
  };
  const Case cases[] = {
      {0, "landlock: this kernel has none: files are not limited"},
      {1,
       "landlock: version 1 of this kernel does not limit truncating files, TCP, controlling devices, signals and abstract "
       "sockets"},
      {2,
       "landlock: version 2 of this kernel does not limit truncating files, TCP, controlling devices, signals and abstract "
       "sockets"},
      {3, "landlock: version 3 of this kernel does not limit TCP, controlling devices, signals and abstract sockets"},
      {4, "landlock: version 4 of this kernel does not limit controlling devices, signals and abstract sockets"},
      {5, "landlock: version 5 of this kernel does not limit signals and abstract sockets"}};
  for (const Case& kernel : cases) {
    const Probed answer = probe(policy_at(kernel.abi), "thread");
    INFO(kernel.abi);
    CHECK(answer.code == 0);
    REQUIRE(answer.gaps.size() == 1);
    CHECK_THAT(answer.gaps[0], Catch::StartsWith(kernel.gap));
  }
}

TEST_CASE("what an older Landlock does not limit the system call filter does") {
  for (const std::uint32_t abi : {0, 1, 2, 4}) {
    INFO(abi);
    for (const char* what : {"truncate", "empty", "tcp", "udp", "kill host", "exec", "memory exec", "memory of host", "chmod"}) {
      const Probed answer = probe(policy_at(abi), what, "/etc/hosts", 1);
      INFO(what << ": " << answer.text);
      CHECK((answer.code == EPERM || answer.code == EACCES));
    }
    const int read = probe(policy_at(abi), "read", "/etc/hosts").code;
    CHECK(read == (abi == 0 ? 0 : EACCES));
  }
}

TEST_CASE("a kernel that has everything leaves no gap") {
  const Probed answer = probe(policy_at(0xFFFF), "thread");
  CHECK(answer.code == 0);
  for (const std::string& gap : answer.gaps) WARN("this machine's kernel: " << gap);
  if (answer.gaps.empty()) SUCCEED();
}

TEST_CASE("the gaps of a running plugin's sandbox are in its health") {
  TestSink sink;
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  PluginSettings settings = settings_of("test_counter", "{}", 100);
  settings.confinement.sandbox = false;
  supervisor.apply({settings});
  REQUIRE(turn_until(supervisor, [&] { return sink.good_runs("test_counter") >= 1; }));
  CHECK(health_of(supervisor, "test_counter").sandbox_gaps == std::vector<std::string>{"sandbox: off, as configured"});
}
