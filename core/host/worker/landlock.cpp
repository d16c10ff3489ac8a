// limit_files_and_network(): Landlock. Everything this kernel's Landlock can refuse is refused, but for the policy's grants.
//
// Not here: what Landlock does not see (stat, chmod, sockets that are not TCP, other processes): the system call filter's part.
#include <fcntl.h>
#include <linux/openat2.h>
#include <pganalytics/plugin.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/host/worker/confine.h"

namespace pganalytics::worker {
namespace {

// The kernel's interface, as of ABI 6: <linux/landlock.h> of a distribution may be older than the kernel that runs.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr unsigned kCreateRulesetVersion = 1;
constexpr int kRulePathBeneath = 1;

constexpr std::uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadDir = 1 << 3;
constexpr std::uint64_t kAbi1Rights = (1 << 13) - 1, kRefer = 1 << 13, kTruncate = 1 << 14, kIoctlDevice = 1 << 15;
constexpr std::uint64_t kBindTcp = 1 << 0, kConnectTcp = 1 << 1;
constexpr std::uint64_t kScopeAbstractSocket = 1 << 0, kScopeSignal = 1 << 1;
constexpr std::uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;

struct RulesetAttributes {
  std::uint64_t handled_files, handled_network, scoped;
};
// An older kernel takes a longer struct as long as the rest is 0.
struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};

class Fd {
 public:
  explicit Fd(long fd) : fd_(static_cast<int>(fd)) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

bool may_connect(const host::WorkerPolicy& policy) { return (policy.needs & (PGA_NEED_PG | PGA_NEED_NET)) != 0; }
bool may_bind(const host::WorkerPolicy& policy) { return (policy.needs & PGA_NEED_NET) != 0; }

RulesetAttributes everything(std::uint32_t abi, const host::WorkerPolicy& policy) {
  RulesetAttributes all{kAbi1Rights, 0, 0};
  if (abi >= 2) all.handled_files |= kRefer;
  if (abi >= 3) all.handled_files |= kTruncate;
  if (abi >= 5) all.handled_files |= kIoctlDevice;
  if (abi >= 4) all.handled_network = (may_connect(policy) ? 0 : kConnectTcp) | (may_bind(policy) ? 0 : kBindTcp);
  if (abi >= 6) all.scoped = kScopeAbstractSocket | kScopeSignal;
  return all;
}

std::uint64_t rights_of(std::uint32_t access) {
  std::uint64_t rights = 0;
  if ((access & host::PathGrant::kRead) != 0) rights |= kReadFile | kReadDir;
  if ((access & host::PathGrant::kList) != 0) rights |= kReadDir;
  if ((access & host::PathGrant::kExecute) != 0) rights |= kExecute;
  if ((access & host::PathGrant::kWrite) != 0) rights |= kWriteFile | kTruncate;
#ifdef PGANALYTICS_INSTRUMENTED  // gcov makes files
  if ((access & host::PathGrant::kWrite) != 0) rights |= kAbi1Rights;
#endif
  return rights;
}

// The host resolved all links: one that appears on the way since was put there to lead elsewhere.
long open_path(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
}

// A path that is not there, or not for us, grants nothing.
Outcome add_rule(int ruleset, const host::PathGrant& grant, std::uint64_t handled) {
  const Fd path(open_path(grant.path));
  struct stat facts {};
  if (path.get() < 0 || fstat(path.get(), &facts) != 0) return {};
  PathBeneath rule{rights_of(grant.access) & handled, path.get()};
  if (!S_ISDIR(facts.st_mode)) rule.allowed &= kFileRights;
  if (rule.allowed == 0) return {};
  if (syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0) != 0) return cannot("allow itself " + grant.path, errno);
  return {};
}

// One line for all that is missing: what it means, not what the kernel calls it.
Gaps gaps_of(std::uint32_t abi, const host::WorkerPolicy& policy) {
  std::string missing;
  const auto lacks = [&](bool lacking, const char* what) {
    if (lacking) missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  lacks(abi < 3, "truncating files");
  lacks(abi < 4 && !(may_connect(policy) && may_bind(policy)), "TCP");
  lacks(abi < 5, "controlling devices");
  lacks(abi < 6, "signals and abstract sockets");
  if (missing.empty()) return {};
  return {"landlock: version " + std::to_string(abi) + " of this kernel does not limit " + missing +
          "; the system call filter alone does"};
}

}  // namespace

Expected<Gaps> limit_files_and_network(const host::WorkerPolicy& policy) {
  const long offered = syscall(kCreateRuleset, nullptr, 0, kCreateRulesetVersion);
  const int code = errno;
  const std::uint32_t abi = offered > 0 ? std::min(static_cast<std::uint32_t>(offered), policy.landlock_abi_max) : 0;
  if (abi == 0) {
    const bool off = offered < 0 && code == EOPNOTSUPP;
    return Gaps{off ? "landlock: it is switched off in this kernel: files are not limited"
                    : "landlock: this kernel has none: files are not limited"};
  }
  const RulesetAttributes all = everything(abi, policy);
  const Fd ruleset(syscall(kCreateRuleset, &all, sizeof all, 0));
  if (ruleset.get() < 0) return cannot("make its Landlock rules", errno);
  for (const host::PathGrant& grant : policy.grants) PGA_CHECK(add_rule(ruleset.get(), grant, all.handled_files));
  if (syscall(kRestrictSelf, ruleset.get(), 0) != 0) return cannot("put its Landlock rules in force", errno);
  return gaps_of(abi, policy);
}

}  // namespace pganalytics::worker
