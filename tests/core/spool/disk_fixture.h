// A spool that tries again soon, what the tests of its disk ask of it, and a file system of a test's own.
#pragma once

#include "core/schema/json_text.h"
#include "tests/core/spool/spool_fixture.h"
#include "tests/support/counted_child.h"
#include "tests/support/eventually.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <set>
#include <string>

namespace pganalytics::spool_test {

inline spool::SpoolOptions hasty(const clock::Clock& clock) {
  auto options = options_with(clock);
  options.pace.pause_ms = 5;
  options.pace.retry_ms = 30;
  return options;
}

inline std::string mode_of(spool::Spool& spool) { return must(spool.status()).mode; }

inline bool in_mode(spool::Spool& spool, const std::string& mode) {
  return testing::eventually([&] { return mode_of(spool) == mode; });
}

inline std::string payload_of(const spool::Batch& batch) {
  const auto envelope = must(schema::parse_json(must(compression::expand(batch.encoding, batch.body, 1 << 24))));
  return envelope["metrics"][0]["payload"].GetString();
}

// Everything that waits, acknowledged.
inline std::multiset<std::string> drain(spool::Spool& spool) {
  std::multiset<std::string> payloads;
  while (const auto batch = must(spool.next(spool::Lane::kBacklog))) {
    payloads.insert(payload_of(*batch));
    must(spool.acknowledge(batch->key));
  }
  return payloads;
}

// `work` in a process of its own, with a file system of `size` mounted at `path`; the number it returns. Nullopt: not allowed
// here.
template <class Work>
std::optional<int> on_tmpfs(const std::string& path, const char* size, Work&& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    testing::begin_counting();
    const int kinds = ::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    // EINVAL: the root of a chroot is no mount.
    const bool apart =
        ::unshare(kinds) == 0 && (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 || errno == EINVAL);
    if (!apart || ::mount("tmpfs", path.c_str(), "tmpfs", 0, size) != 0) {
      ::_exit(100);
    }
    testing::leave(work());
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  REQUIRE(WIFEXITED(how));
  return WEXITSTATUS(how) == 100 ? std::nullopt : std::optional(WEXITSTATUS(how));
}

inline bool done_here(const std::optional<int>& step) {
  if (!step) WARN("not tested: this machine mounts no file system for us");
  return step.has_value();
}

inline bool balanced(spool::Spool& spool) {
  const auto status = spool.status();
  return status &&
         status->produced_documents == status->acknowledged_documents + status->lost_documents + status->waiting_documents;
}

}  // namespace pganalytics::spool_test
