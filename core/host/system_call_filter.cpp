#include "core/host/system_call_filter.h"

#include <fcntl.h>
#include <pganalytics/plugin.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <vector>

namespace pganalytics::host {
namespace {

// Never, whatever the plugin needs. Most of these want a capability that workers do not have: this is the second lock.
constexpr const char* kDenied[] = {
    // other processes
    "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd", "move_pages",
    "migrate_pages",
    // the kernel itself
    "bpf", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff", "acct",
    "iopl", "ioperm", "modify_ldt", "syslog", "lookup_dcookie", "nfsservctl", "vhangup", "userfaultfd", "perf_event_open",
    // ways around this filter
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    // another view of the file system
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "unshare", "setns", "open_by_handle_at", "fanotify_init", "quotactl", "quotactl_fd",
    // keys, users, capabilities
    "keyctl", "add_key", "request_key", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
    "setfsuid", "setfsgid", "capset",
    // the machine's clock and name
    "settimeofday", "clock_settime", "clock_settime64", "stime", "sethostname", "setdomainname",
    // what Landlock does not see of files
    "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr",
    "lremovexattr", "fremovexattr", "utime", "utimes", "futimesat", "utimensat", "utimensat_time64", "truncate", "truncate64",
    // memory that outlives the process or is not counted as its own
    "shmget", "shmat", "msgget", "semget", "mq_open", "memfd_secret"};
constexpr int kFchmodat2 = 452;  // on every processor; libseccomp 2.5 has no name for it
constexpr int kFirstUnknown = 463, kLastUnknown = 511;

// Unless it may run programs.
constexpr const char* kDeniedWithoutExec[] = {"execve", "execveat", "fork",  "vfork", "pidfd_send_signal",
                                              "tkill",  "setpgid",  "setsid"};

constexpr std::uint64_t kNamespaceFlags[] = {CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,   CLONE_NEWUSER,
                                             CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP};

class Rules {
 public:
  Rules() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {
    if (context_ == nullptr) return;
    seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree: it is walked at each call
  }

  void deny(const char* name, std::initializer_list<scmp_arg_cmp> when = {}) {
    answer(SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(name), when);
  }
  // A call that this processor does not have is no call that must be denied.
  void answer(std::uint32_t action, int number, std::initializer_list<scmp_arg_cmp> when = {}) {
    if (number == __NR_SCMP_ERROR || context_ == nullptr) return;
    const int code = seccomp_rule_add_array(context_.get(), action, number, static_cast<unsigned>(when.size()), when.begin());
    if (code != 0 && code != -EDOM && code != -EOPNOTSUPP) failed_ = true;
  }

  // Through a file in memory: libseccomp writes nowhere else.
  [[nodiscard]] std::string program() const {
    if (context_ == nullptr || failed_) return {};
    const int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0) return {};
    std::string bytes;
    const off_t size = seccomp_export_bpf(context_.get(), fd) == 0 ? lseek(fd, 0, SEEK_END) : 0;
    bytes.resize(static_cast<std::size_t>(size));
    if (pread(fd, bytes.data(), bytes.size(), 0) != size) bytes.clear();
    close(fd);
    return bytes;
  }

 private:
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  bool failed_ = false;
};

// The kernel looks at 32 bits of an int argument, a filter at 64.
scmp_arg_cmp is(unsigned argument, std::uint32_t value) { return {argument, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, value}; }
scmp_arg_cmp is_not(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_NE, value, 0}; }
scmp_arg_cmp has(unsigned argument, std::uint64_t bits) { return {argument, SCMP_CMP_MASKED_EQ, bits, bits}; }
scmp_arg_cmp lacks(unsigned argument, std::uint64_t bits) { return {argument, SCMP_CMP_MASKED_EQ, bits, 0}; }

// Signals, priorities and limits of other processes of the same user, the host among them.
void deny_others(Rules& rules, std::uint32_t needs, pid_t worker) {
  if ((needs & PGA_NEED_EXEC) == 0) {
    for (const char* call : {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"})
      rules.deny(call, {is_not(0, static_cast<std::uint64_t>(worker))});
    rules.deny("prctl", {is(0, PR_SET_PDEATHSIG)});
  }
  for (const std::uint32_t command : {F_SETOWN, 15 /* F_SETOWN_EX */, 10 /* F_SETSIG */}) rules.deny("fcntl", {is(1, command)});
  for (const std::uint32_t request : {FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX}) rules.deny("ioctl", {is(1, request)});
  for (const char* call : {"prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"})
    rules.deny(call, {is_not(0, 0)});
  for (const char* call : {"setpriority", "ioprio_set"}) {
    const std::uint64_t one_process = call[0] == 's' ? PRIO_PROCESS : 1 /* IOPRIO_WHO_PROCESS */;
    rules.deny(call, {is_not(0, one_process)});
    rules.deny(call, {is_not(1, 0)});
  }
}

void deny_programs(Rules& rules, std::uint32_t needs) {
  rules.answer(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));  // its flags lie in memory, where a filter cannot look
  if ((needs & PGA_NEED_EXEC) != 0) {
    for (const std::uint64_t flag : kNamespaceFlags) rules.deny("clone", {has(0, flag)});
    return;
  }
  for (const char* call : kDeniedWithoutExec) rules.deny(call);
#ifdef PGANALYTICS_INSTRUMENTED  // LeakSanitizer's tracer shares memory and is no thread; gcov empties its files
  rules.deny("clone", {lacks(0, CLONE_VM)});
#else
  rules.deny("clone", {lacks(0, CLONE_THREAD)});
  // Landlock before version 3 lets a file be emptied that is opened for reading.
  rules.deny("open", {has(1, O_TRUNC)});
  rules.deny("openat", {has(2, O_TRUNC)});
  rules.answer(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2));
#endif
}

void deny_sockets(Rules& rules, std::uint32_t needs) {
  if ((needs & PGA_NEED_NET) == 0) rules.deny("listen");
  if ((needs & (PGA_NEED_PG | PGA_NEED_NET)) == 0) {
    rules.deny("socket");
    return;
  }
  static_assert(AF_UNIX == 1 && AF_INET == 2 && AF_INET6 == 10 && AF_NETLINK == 16);
  rules.deny("socket", {{0, SCMP_CMP_EQ, 0, 0}});
  for (const std::uint64_t family : {3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15})
    rules.deny("socket", {{0, SCMP_CMP_EQ, family, 0}});
  rules.deny("socket", {{0, SCMP_CMP_GT, AF_NETLINK, 0}});
  rules.deny("socket", {is(0, AF_NETLINK), is_not(2, 0)});  // NETLINK_ROUTE, which resolvers ask for addresses
}

}  // namespace

std::string system_call_filter(std::uint32_t needs, pid_t worker) {
  Rules rules;
  for (const char* call : kDenied) rules.deny(call);
  rules.answer(SCMP_ACT_ERRNO(EPERM), kFchmodat2);
  for (int number = kFirstUnknown; number <= kLastUnknown; ++number) rules.answer(SCMP_ACT_ERRNO(ENOSYS), number);
#ifndef PGANALYTICS_INSTRUMENTED  // LeakSanitizer looks at its threads as a debugger
  rules.deny("ptrace");
  rules.deny("personality");
#endif
  deny_programs(rules, needs);
  deny_others(rules, needs, worker);
  deny_sockets(rules, needs);
  return rules.program();
}

}  // namespace pganalytics::host
