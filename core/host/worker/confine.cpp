#include "core/host/worker/confine.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstring>

namespace pganalytics::worker {

Error cannot(const std::string& what, int code) {
  return Error{PGA_E_DENIED, "worker.confine", "its worker cannot " + what + ": " + std::strerror(code), "", 0};
}

Expected<Gaps> filter_system_calls(const host::WorkerPolicy& policy) {
  // Copied, because bytes of a frame are not aligned.
  std::vector<sock_filter> program(policy.system_call_filter.size() / sizeof(sock_filter));
  if (program.empty()) return Gaps{"seccomp: there is no filter for this processor"};
  std::memcpy(program.data(), policy.system_call_filter.data(), program.size() * sizeof(sock_filter));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return Gaps{};
  return Gaps{std::string("seccomp: this kernel takes no filter (") + std::strerror(errno) + ")"};
}

Expected<Gaps> confine(const host::WorkerPolicy& policy, int host_socket) {
  PGA_CHECK(set_limits(policy));
  PGA_CHECK(drop_privileges(policy));
  PGA_CHECK(die_with_host(host_socket));
  if (policy.sandbox == 0) return Gaps{"sandbox: off, as configured"};
  PGA_TRY(Gaps gaps, limit_files_and_network(policy));
  PGA_TRY(const Gaps more, filter_system_calls(policy));
  gaps.insert(gaps.end(), more.begin(), more.end());
  return gaps;
}

}  // namespace pganalytics::worker
