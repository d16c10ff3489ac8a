#include "core/host/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock/clock.h"
#include "core/host/frames.h"

namespace pganalytics::host {
namespace {

constexpr int kWorkerSocket = 3;
constexpr std::int64_t kLastWaitMs = 1'000;  // for a killed process, when nobody will come back for it
constexpr int kLastPollMs = 10;

// What libpq and the time zone are found by, and what instrumented builds write to. Never LD_*, never anything unknown.
constexpr std::string_view kKeptVariables[] = {
    "HOME",         "LANG",         "LC_ALL",        "TZ",           "TMPDIR",       "PGPASSFILE",  "PGSERVICEFILE",
    "PGSYSCONFDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP"};

std::vector<std::string> clean_environment() {
  std::vector<std::string> kept = {"PATH=/usr/bin:/bin"};
  for (const std::string_view name : kKeptVariables) {
    if (const char* value = std::getenv(std::string(name).c_str())) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

// posix_spawn's two option objects, released together.
class SpawnOptions {
 public:
  SpawnOptions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  // Everything else is close-on-exec. The sources lie above the targets, so no dup2 overwrites a later one's source.
  void set_descriptors(int socket, int output) {
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, socket, kWorkerSocket);
  }

  // Signals as a fresh process has them, and a process group of its own, so that Ctrl-C reaches the host alone.
  void set_signals() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Error failed_to(const std::string& what, int code) {
  return Error{PGA_E_FAIL, "worker.spawn", "cannot " + what + ": " + std::strerror(code), "", 0};
}

std::int64_t ms_of(const timeval& time) { return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_usec / 1000; }

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "died of signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Expected<Process> Process::spawn(const std::string& worker_path, const std::string& id, int worker_socket, int output) {
  const Descriptor socket_above(fcntl(worker_socket, F_DUPFD_CLOEXEC, kWorkerSocket + 1));
  const Descriptor output_above(fcntl(output, F_DUPFD_CLOEXEC, kWorkerSocket + 1));
  if (socket_above.get() < 0 || output_above.get() < 0) return failed_to("pass descriptors to a worker", errno);

  SpawnOptions options;
  options.set_descriptors(socket_above.get(), output_above.get());
  options.set_signals();
  std::vector<std::string> environment = clean_environment();
  std::vector<char*> environment_pointers;
  for (std::string& variable : environment) environment_pointers.push_back(variable.data());
  environment_pointers.push_back(nullptr);
  std::string name = "pganalytics-worker", argument = id;
  std::array<char*, 3> arguments = {name.data(), argument.data(), nullptr};

  pid_t pid = 0;
  const int code = posix_spawn(&pid, worker_path.c_str(), options.actions(), options.attributes(), arguments.data(),
                               environment_pointers.data());
  if (code != 0) return failed_to("start " + worker_path, code);
  return Process(pid);
}

Process::Process(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

Process::~Process() {
  if (pid_ == 0) return;
  signal(SIGKILL);
  pollfd ended{pidfd_.get(), POLLIN, 0};
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + kLastWaitMs * 1'000'000;
  while (!reap() && clock::now_monotonic_ns() < deadline_ns) poll(&ended, 1, kLastPollMs);
}

void Process::signal(int number) const {
  if (pid_ != 0) kill(-pid_, number);
}

std::optional<Ending> Process::reap() {
  if (pid_ == 0) return std::nullopt;
  int status = 0;
  rusage usage{};
  const pid_t reaped = wait4(pid_, &status, WNOHANG, &usage);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) return std::nullopt;
  pid_ = 0;
  // Only if somebody else in this program reaped it, or asked the kernel to (SIGCHLD ignored).
  if (reaped < 0) return Ending{"ended, nobody knows how", 0, false};
  return Ending{describe_end(status), ms_of(usage.ru_utime) + ms_of(usage.ru_stime),
                WIFEXITED(status) && WEXITSTATUS(status) == kWorkerDone};
}

}  // namespace pganalytics::host
