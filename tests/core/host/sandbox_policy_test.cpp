#include "core/host/sandbox_policy.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/host/capability_names.h"
#include "core/host/system_call_filter.h"
#include "tests/core/host/probe_worker.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

std::uint32_t access_to(const WorkerPolicy& policy, const std::string& path) {
  for (const PathGrant& grant : policy.grants) {
    if (grant.path == path) return grant.access;
  }
  return 0;
}

WorkerPolicy must(const PluginSettings& settings) {
  auto policy = policy_of(settings);
  INFO((policy ? "" : policy.error().message));
  REQUIRE(policy);
  return *policy;
}

}  // namespace

TEST_CASE("each need opens what it is about") {
  const WorkerPolicy none = must(probing(0));
  CHECK(access_to(none, "/usr/lib") == PathGrant::kRead);
  CHECK(access_to(none, "/dev/null") == (PathGrant::kRead | PathGrant::kWrite));
  for (const char* path : {"/proc", "/sys", "/etc/hosts", "/etc/passwd", "/usr"}) CHECK(access_to(none, path) == 0);
  CHECK(access_to(must(probing(PGA_NEED_PROC)), "/proc") == PathGrant::kRead);
  CHECK(access_to(must(probing(PGA_NEED_PG)), "/etc/hosts") == PathGrant::kRead);
  CHECK(access_to(must(probing(PGA_NEED_PG)), "/proc") == 0);
  CHECK(access_to(must(probing(PGA_NEED_NET)), "/etc/passwd") == PathGrant::kRead);
  PluginSettings runs = probing(PGA_NEED_EXEC);
  runs.confinement.allow_exec = true;
  CHECK(access_to(must(runs), "/usr") == (PathGrant::kRead | PathGrant::kExecute));
  for (const PathGrant& grant : must(runs).grants) {
    INFO(grant.path);
    CHECK(((grant.access & PathGrant::kWrite) == 0 || grant.path == "/dev/null"));
  }
}

TEST_CASE("libpq's files are given one by one, never the home folder") {
  const testing::TemporaryFolder home;
  const std::string before = getenv("HOME") != nullptr ? getenv("HOME") : "";
  setenv("HOME", home.path().c_str(), 1);
  std::ofstream(home / ".pgpass") << "x";
  std::ofstream(home / "other") << "x";
  std::ofstream(home / "ca.crt") << "x";
  PluginSettings settings = probing(PGA_NEED_PG);
  settings.read_files = {home / "ca.crt"};
  const WorkerPolicy policy = must(settings);
  setenv("HOME", before.c_str(), 1);
  CHECK(access_to(policy, home / ".pgpass") == PathGrant::kRead);
  CHECK(access_to(policy, home / "ca.crt") == PathGrant::kRead);
  CHECK(access_to(policy, home.path()) == 0);
  CHECK(access_to(policy, home / "other") == 0);
}

TEST_CASE("what cannot be had is refused, with what to do") {
  struct Case {
    void (*change)(PluginSettings&);
    const char* code;
    const char* message;
  };
  const Case cases[] = {
      {[](PluginSettings& settings) { settings.info.needs = 1U << 9; }, "plugin.needs", "a need that this version does not know"},
      {[](PluginSettings& settings) { settings.info.needs = PGA_NEED_EXEC; }, "plugin.exec", "runs programs"},
      {[](PluginSettings& settings) { settings.confinement.user = "no-such-user"; }, "plugin.user", "no user 'no-such-user'"},
      {[](PluginSettings& settings) { settings.confinement.groups = {"no-such-group"}; }, "plugin.group", "no group"},
      {[](PluginSettings& settings) { settings.confinement.capabilities = {"CAP_EVERYTHING"}; }, "plugin.capability",
       "no capability 'CAP_EVERYTHING'"},
      {[](PluginSettings& settings) {
         settings.info.needs = PGA_NEED_READ_FS;
         settings.read_paths = {"/etc"};
       },
       "plugin.secret_path", "'/etc' has secrets"}};
  for (const Case& wrong : cases) {
    PluginSettings settings = probing(0);
    wrong.change(settings);
    const auto policy = policy_of(settings);
    REQUIRE_FALSE(policy);
    CHECK(policy.error().code == wrong.code);
    CHECK_THAT(policy.error().message, Catch::Contains(wrong.message));
    CHECK_FALSE(policy.error().hint.empty());
  }
}

TEST_CASE("a worker is replaced for another policy, and for nothing else") {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "a.crt") << "x";
  PluginSettings settings = probing(PGA_NEED_PG);
  settings.read_files = {folder / "a.crt"};
  const WorkerPolicy policy = must(settings);
  settings.config_json = R"({"other":1})";
  settings.interval_ms = 5;
  settings.confinement.cpu_max_percent = 5;
  CHECK_FALSE(needs_new_worker(policy, settings));
  std::ofstream(folder / "new") << "y";
  rename((folder / "new").c_str(), (folder / "a.crt").c_str());
  CHECK(needs_new_worker(policy, settings));  // a renewed certificate
  settings.read_files.clear();
  const WorkerPolicy without = must(settings);
  CHECK_FALSE(needs_new_worker(without, settings));
  settings.confinement.memory_max_bytes = 64 << 20;
  CHECK(needs_new_worker(without, settings));
  settings.confinement = {};
  settings.confinement.sandbox = false;
  CHECK(needs_new_worker(without, settings));
}

TEST_CASE("the policy survives the way to the worker") {
  WorkerPolicy policy = must(probing(PGA_NEED_PG));
  policy.groups = {1, 2};
  policy.user = 7;
  const auto there = unpack<LoadMessage>(pack(load_message("/p.so", "x", policy, 42)));
  REQUIRE(there);
  CHECK(there->path == "/p.so");
  CHECK(there->policy.groups == policy.groups);
  CHECK(there->policy.user == 7);
  CHECK(there->policy.needs == PGA_NEED_PG);
  REQUIRE(there->policy.grants.size() == policy.grants.size());
  CHECK(there->policy.grants.front().path == policy.grants.front().path);
  CHECK(there->policy.system_call_filter.size() % sizeof(sock_filter) == 0);
  CHECK_FALSE(there->policy.system_call_filter.empty());
  CHECK(there->policy.tasks_max > 0);
}

TEST_CASE("a filter fits into what the kernel takes") {
  for (const std::uint32_t needs : {0U, kKnownNeeds})
    CHECK(system_call_filter(needs, 1).size() / sizeof(sock_filter) <= BPF_MAXINSNS);
}

TEST_CASE("capabilities go by the names of capabilities(7)") {
  CHECK(capability_named("CAP_CHOWN") == CAP_CHOWN);
  CHECK(capability_named("CAP_DAC_READ_SEARCH") == CAP_DAC_READ_SEARCH);
  CHECK(capability_named("CAP_SYS_PTRACE") == CAP_SYS_PTRACE);
  CHECK(capability_named("CAP_CHECKPOINT_RESTORE") == CAP_CHECKPOINT_RESTORE);
  for (const char* wrong : {"", "CAP_", "CHOWN", "cap_chown", "CAP_CHOWN "}) CHECK_FALSE(capability_named(wrong));
}
