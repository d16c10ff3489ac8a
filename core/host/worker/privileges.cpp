// drop_privileges() and die_with_host(): whose name the worker acts in, with which capabilities, and when it ends.
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "core/host/worker/confine.h"

namespace pganalytics::worker {
namespace {

constexpr int kCapabilityBits = 64;

bool holds(std::uint64_t set, int capability) { return (set >> capability & 1) != 0; }

// What programs could gain by exec. Without CAP_SETPCAP it stays, and no_new_privs sees to it that nothing is gained.
void drop_bounding_set(std::uint64_t keep) {
  for (int capability = 0; capability < kCapabilityBits && prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
    if (!holds(keep, capability)) prctl(PR_CAPBSET_DROP, capability);
  }
}

Outcome become_user(const host::WorkerPolicy& policy) {
  if (policy.set_groups != 0) {
    static_assert(sizeof(gid_t) == sizeof(std::uint32_t));
    if (setgroups(policy.groups.size(), policy.groups.data()) != 0) return cannot("set its groups", errno);
  }
  if (policy.group != host::WorkerPolicy::kUnchanged && setresgid(policy.group, policy.group, policy.group) != 0)
    return cannot("become group " + std::to_string(policy.group), errno);
  if (policy.user == host::WorkerPolicy::kUnchanged) return {};
  if (policy.capabilities != 0 && prctl(PR_SET_KEEPCAPS, 1) != 0) return cannot("keep its capabilities", errno);
  if (setresuid(policy.user, policy.user, policy.user) != 0) return cannot("become user " + std::to_string(policy.user), errno);
  if (!policy.home.empty()) setenv("HOME", policy.home.c_str(), 1);
  return {};
}

// Capabilities that programs inherit are ambient; without that, an unprivileged user's are lost at exec.
Outcome set_capabilities(const host::WorkerPolicy& policy) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  for (int half = 0; half < 2; ++half) {
    sets[half].permitted = sets[half].effective = static_cast<std::uint32_t>(policy.capabilities >> (32 * half));
    if (policy.pass_capabilities != 0) sets[half].inheritable = sets[half].permitted;
  }
  if (syscall(SYS_capset, &header, sets) != 0) return cannot("give up its capabilities", errno);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (policy.pass_capabilities == 0) return {};
  for (int capability = 0; capability < kCapabilityBits; ++capability) {
    if (!holds(policy.capabilities, capability)) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
      return cannot("pass capability " + std::to_string(capability) + " on", errno);
  }
  return {};
}

}  // namespace

Outcome drop_privileges(const host::WorkerPolicy& policy) {
  drop_bounding_set(policy.capabilities);
  PGA_CHECK(become_user(policy));
  PGA_CHECK(set_capabilities(policy));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return cannot("rule out new privileges", errno);
  return {};
}

// Die with the host, also when it is killed: the kernel sees to it, unless the host was gone before we asked. The other end of
// the socket remembers who made it, so there is no doubt who our parent should be.
Outcome die_with_host(int host_socket) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return cannot("bind its life to the host's", errno);
  ucred maker{};
  socklen_t size = sizeof maker;
  if (getsockopt(host_socket, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) return cannot("ask for its host", errno);
  return maker.pid == getppid() ? Outcome() : Outcome(cannot("find its host", ESRCH));
}

}  // namespace pganalytics::worker
