// Real workers with a plugin that tries what it may not: what the sandbox refuses, and what it leaves open to those who need it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "tests/core/host/probe_worker.h"
#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

constexpr std::uint32_t kNoNeeds = 0;
constexpr std::uint32_t kAllButExec = PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC;

bool is_refused(int code) { return code == EPERM || code == EACCES; }

#define CHECK_REFUSED(probed)             \
  do {                                    \
    const Probed answer = (probed);       \
    INFO(#probed << ": " << answer.text); \
    CHECK(is_refused(answer.code));       \
  } while (false)
#define CHECK_GRANTED(probed)             \
  do {                                    \
    const Probed answer = (probed);       \
    INFO(#probed << ": " << answer.text); \
    CHECK(answer.code == 0);              \
  } while (false)

// A host's own files as they lie in its state folder, and a log beside them.
struct Files {
  Files() {
    for (const char* folder : {"/state", "/log", "/config"}) mkdir((root.path() + folder).c_str(), 0755);
    for (const char* file : {"/state/spool.db", "/state/collector.key", "/config/c.toml", "/log/a.log"})
      std::ofstream(root.path() + file) << "text";
    chmod(root.path().c_str(), 0755);
  }
  [[nodiscard]] std::string at(const std::string& name) const { return root.path() + name; }
  [[nodiscard]] std::vector<std::string> secrets() const { return {at("/state"), at("/config/c.toml")}; }

  testing::TemporaryFolder root;
};

// A listening socket of the test's: something to connect to.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof in;
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
    REQUIRE(listen(fd_, 8) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&in), &size) == 0);
    port = ntohs(in.sin_port);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(fd_); }

  int port = 0;

 private:
  int fd_;
};

}  // namespace

TEST_CASE("the host's files, other people's and the system's secrets are not for plugins") {
  const Files files;
  for (const std::uint32_t needs : {kNoNeeds, kAllButExec}) {
    PluginSettings settings = probing(needs);
    settings.secret_paths = files.secrets();
    settings.read_paths = {files.at("/log/*.log")};
    for (const std::string& path : {std::string("/etc/shadow"), files.at("/state/spool.db"), files.at("/state/collector.key"),
                                    files.at("/config/c.toml"), std::string("/root"), std::string("/home"), std::string("/etc")})
      CHECK_REFUSED(probe(settings, "read", path));
  }
}

TEST_CASE("nothing is written, emptied, removed or opened to others") {
  const Files files;
  PluginSettings settings = probing(PGA_NEED_READ_FS);
  settings.read_paths = {files.at("/log")};
  const std::string log = files.at("/log/a.log");
  CHECK_GRANTED(probe(settings, "read", log));
  for (const char* what : {"write", "empty", "truncate", "unlink", "chmod", "fchmodat2", "utimes"})
    CHECK_REFUSED(probe(settings, what, log));
  for (const char* what : {"create", "mkdir"}) CHECK_REFUSED(probe(settings, what, files.at("/log/new")));
  CHECK_REFUSED(probe(settings, "create", "/tmp/pga-test-new"));
  CHECK(probe(settings, "openat2", log).code == ENOSYS);
  CHECK_GRANTED(probe(settings, "write", "/dev/null"));
}

TEST_CASE("no programs and no other processes, but threads") {
  const PluginSettings settings = probing(kAllButExec);
  for (const char* what : {"exec", "memory exec", "spawn", "fork", "namespace"}) CHECK_REFUSED(probe(settings, what));
  for (const char* what : {"ptrace", "memory of host", "kill host", "kill all", "tgkill host", "pidfd signal", "other group",
                           "limit host", "nice host", "nice user", "signals by fcntl", "unbind life"})
    CHECK_REFUSED(probe(settings, what));
  CHECK_GRANTED(probe(settings, "own signal"));
  CHECK_GRANTED(probe(settings, "thread"));
}

TEST_CASE("the kernel's dangerous parts are closed") {
  const PluginSettings settings = probing(kAllButExec);
  for (const char* what :
       {"mount", "unshare", "setuid", "chroot", "io_uring", "handle", "bpf", "keyctl", "userfaultfd", "perf", "shared memory"}) {
    const Probed answer = probe(settings, what);
    INFO(what << ": " << answer.text);
    CHECK(answer.code == EPERM);
  }
  CHECK(probe(settings, "clone3").code == ENOSYS);
  CHECK(probe(settings, "unknown call").code == ENOSYS);
}

TEST_CASE("without a need for the network there are no sockets") {
  const Listener listener;
  const Files files;
  for (const char* what : {"tcp", "udp", "bind", "listen", "packet", "vsock", "route"})
    CHECK_REFUSED(probe(probing(PGA_NEED_READ_FS | PGA_NEED_PROC), what, "", listener.port));
  CHECK_REFUSED(probe(probing(kNoNeeds), "unix", files.at("/socket")));
}

TEST_CASE("who needs PostgreSQL may connect, who needs the network may listen too") {
  const Listener listener;
  const Files files;
  for (const std::uint32_t needs : {PGA_NEED_PG, PGA_NEED_NET}) {
    CHECK_GRANTED(probe(probing(needs), "tcp", "", listener.port));
    CHECK_GRANTED(probe(probing(needs), "udp", "", listener.port));
    CHECK(probe(probing(needs), "unix", files.at("/socket")).code == ENOENT);  // as far as the file system
    CHECK_GRANTED(probe(probing(needs), "route"));
    for (const char* what : {"packet", "vsock", "audit"}) CHECK_REFUSED(probe(probing(needs), what));
    CHECK_GRANTED(probe(probing(needs), "read", "/etc/hosts"));
    CHECK_GRANTED(probe(probing(needs), "read", "/etc/passwd"));
  }
  for (const char* what : {"bind", "listen"}) {
    CHECK_REFUSED(probe(probing(PGA_NEED_PG), what));
    CHECK_GRANTED(probe(probing(PGA_NEED_NET), what));
  }
}

TEST_CASE("/proc and /sys are for who needs them") {
  for (const char* path : {"/proc/loadavg", "/proc/1/stat", "/sys/kernel"}) {
    CHECK_REFUSED(probe(probing(kNoNeeds), "read", path));
    CHECK_GRANTED(probe(probing(PGA_NEED_PROC), "read", path));
  }
  CHECK_REFUSED(probe(probing(PGA_NEED_PROC), "read", "/proc/" + std::to_string(getpid()) + "/mem"));
  CHECK_REFUSED(probe(probing(PGA_NEED_PROC), "read", "/proc/" + std::to_string(getpid()) + "/environ"));
}

TEST_CASE("named paths are readable for who declares to read them, and the replaced file too") {
  const Files files;
  PluginSettings settings = probing(PGA_NEED_READ_FS);
  settings.secret_paths = files.secrets();
  settings.read_paths = {files.at("/log/a.log")};
  CHECK_GRANTED(probe(settings, "read", files.at("/log/a.log")));
  std::ofstream(files.at("/log/a.log.1")) << "rotated";
  CHECK_GRANTED(probe(settings, "read", files.at("/log/a.log.1")));
  settings.info.needs = PGA_NEED_PROC;
  CHECK_REFUSED(probe(settings, "read", files.at("/log/a.log")));
}

TEST_CASE("who may run programs runs them in the same sandbox") {
  const Files files;
  PluginSettings settings = probing(PGA_NEED_EXEC);
  const Probed unasked = probe(settings, "spawn");
  CHECK(unasked.code == -1);
  CHECK_THAT(unasked.text, Catch::Contains("runs programs, which is not allowed"));
  settings.confinement.allow_exec = true;
  for (const char* what : {"spawn", "fork"}) CHECK_GRANTED(probe(settings, what));
  CHECK_REFUSED(probe(settings, "memory of host"));
  CHECK_REFUSED(probe(settings, "namespace"));
  CHECK_REFUSED(probe(settings, "tcp"));
  CHECK_REFUSED(probe(settings, "create", files.at("/new")));
  CHECK_REFUSED(probe(settings, "kill host"));  // Landlock's: the filter has to let signals to children pass
}

TEST_CASE("memory has a ceiling") {
  PluginSettings settings = probing(kNoNeeds);
  settings.confinement.memory_max_bytes = 64 << 20;
  CHECK_GRANTED(probe(settings, "allocate", "", 32));
  CHECK(probe(settings, "allocate", "", 65).code == ENOMEM);
}

TEST_CASE("a constructor runs in the sandbox already, also while the plugin is only described") {
  CHECK(probe(strictest_policy(probing(kNoNeeds).info.path), "at load").code == EACCES);
  CHECK_REFUSED(probe(strictest_policy(probing(kNoNeeds).info.path), "tcp"));
  CHECK_REFUSED(probe(strictest_policy(probing(kNoNeeds).info.path), "read", "/proc/loadavg"));
}

TEST_CASE("a worker of a root host keeps no capability but that to read, where it reads files or looks for a socket") {
  if (geteuid() != 0) return;
  const std::string none = "caps=0,0 nnp=1", read = "caps=4,0 nnp=1";  // 1 << CAP_DAC_READ_SEARCH
  CHECK_THAT(probe(probing(kNoNeeds), "who").text, Catch::Contains(none));
  CHECK_THAT(probe(probing(PGA_NEED_NET), "who").text, Catch::Contains(none));
  CHECK_THAT(probe(probing(PGA_NEED_PG), "who").text, Catch::Contains(read));
  CHECK_THAT(probe(probing(PGA_NEED_READ_FS), "who").text, Catch::Contains(read));
  CHECK_THAT(probe(probing(PGA_NEED_PROC), "who").text, Catch::Contains(read));
}

TEST_CASE("a plugin runs as the user that the operator names, with that user's groups and the named capabilities") {
  if (geteuid() != 0) return;
  PluginSettings settings = probing(PGA_NEED_READ_FS);
  settings.confinement.user = "daemon";
  CHECK(probe(settings, "who").text == "1 1 1 caps=0,0 nnp=1 home=/usr/sbin");
  settings.confinement.groups = {"adm", "sys"};
  CHECK(probe(settings, "who").text == "1 1 1,3,4 caps=0,0 nnp=1 home=/usr/sbin");
  settings.confinement.capabilities = {"CAP_DAC_READ_SEARCH", "CAP_SYSLOG"};
  CHECK(probe(settings, "who").text == "1 1 1,3,4 caps=4,4 nnp=1 home=/usr/sbin");
}

TEST_CASE("an ordinary user's workers are as confined") {
  const int failed = as_ordinary_user([] {
    const PluginSettings plain = probing(kNoNeeds);
    for (const char* what :
         {"exec", "fork", "tcp", "kill host", "memory of host", "limit host", "ptrace", "unshare", "io_uring"}) {
      if (!is_refused(probe(plain, what).code)) return 1;
    }
    if (!is_refused(probe(plain, "read", "/etc/passwd").code)) return 2;
    if (!is_refused(probe(plain, "create", "/tmp/pga-test-new").code)) return 3;
    if (probe(plain, "thread").code != 0) return 4;
    if (probe(probing(PGA_NEED_PROC), "read", "/proc/loadavg").code != 0) return 5;
    if (probe(probing(PGA_NEED_PG), "read", "/etc/hosts").code != 0) return 6;
    if (probe(probing(PGA_NEED_PROC), "who").text.find("caps=0,0 nnp=1") == std::string::npos) return 7;
    PluginSettings other = probing(kNoNeeds);
    other.confinement.user = "daemon";
    return probe(other, "who").text.find("may not run it as user 'daemon'") == std::string::npos ? 8 : 0;
  });
  CHECK(failed == 0);
}

TEST_CASE("without the sandbox, as the operator may say, only the privileges are dropped, and that is told") {
  PluginSettings settings = probing(kNoNeeds);
  settings.confinement.sandbox = false;
  const Probed answer = probe(settings, "read", "/etc/passwd");
  CHECK(answer.code == 0);
  CHECK(answer.gaps == std::vector<std::string>{"sandbox: off, as configured"});
  if (geteuid() == 0) CHECK_THAT(probe(settings, "who").text, Catch::Contains("caps=0,0 nnp=1"));
}
