// set_limits(): what the worker may use up.
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "core/host/worker/confine.h"

namespace pganalytics::worker {
namespace {

constexpr rlim_t kDescriptorsMax = 256;
constexpr std::size_t kThreadStackBytes = 1u << 20;

// Soft and hard: what is lowered cannot be raised again.
Outcome limit(__rlimit_resource what, rlim_t value, const char* name) {
  rlimit now{};
  if (getrlimit(what, &now) != 0) return cannot(std::string("read its limit of ") + name, errno);
  now.rlim_max = std::min(now.rlim_max, value);  // RLIM_INFINITY is the largest number
  now.rlim_cur = std::min(now.rlim_cur, now.rlim_max);
  if (setrlimit(what, &now) != 0) return cannot(std::string("limit its ") + name, errno);
  return {};
}

// Threads' stacks count as data, touched or not: with glibc's 8 MiB each, 256 MiB of data would be 31 threads.
Outcome shrink_stacks() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStackBytes);
  const int code = pthread_setattr_default_np(&attributes);
  pthread_attr_destroy(&attributes);
  return code == 0 ? Outcome() : Outcome(cannot("make its threads' stacks smaller", code));
}

}  // namespace

Outcome set_limits(const host::WorkerPolicy& policy) {
  PGA_CHECK(limit(RLIMIT_NOFILE, kDescriptorsMax, "descriptors"));
  PGA_CHECK(limit(RLIMIT_CORE, 0, "core files"));
  PGA_CHECK(shrink_stacks());
  if (policy.tasks_max != 0) PGA_CHECK(limit(RLIMIT_NPROC, policy.tasks_max, "processes"));
  signal(SIGXFSZ, SIG_IGN);      // a write that is too large is EFBIG
#ifdef PGANALYTICS_INSTRUMENTED  // gcov writes small files, sanitizers reserve terabytes
  PGA_CHECK(limit(RLIMIT_FSIZE, 16u << 20, "written files"));
#else
  PGA_CHECK(limit(RLIMIT_FSIZE, 0, "written files"));
  if (policy.memory_max_bytes > 0) PGA_CHECK(limit(RLIMIT_DATA, static_cast<rlim_t>(policy.memory_max_bytes), "memory"));
#endif
  return {};
}

}  // namespace pganalytics::worker
