#include "plugins/exec/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "plugins/exec/reading.h"

namespace pganalytics::exec {
namespace {

constexpr std::size_t kErrorTailBytes = 4096;
constexpr std::size_t kErrorBytesMax = 1u << 20;

std::string reason(int number) { return std::generic_category().message(number); }

Error cannot_start(const Command& command, int number) {
  std::string hint;
  if (number == EACCES || number == EPERM) {
    hint = "Is it executable for the collector's user, and is its folder, or that of its interpreter, in read_paths?";
  } else if (number == ENOENT) {
    hint = "Neither it nor, for a script, its interpreter may be missing.";
  }
  return {PGA_E_FAIL, "exec.start", "cannot run " + command.argv.front() + " in " + command.cwd + ": " + reason(number), hint, 0};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

struct Pipe {
  Descriptor read_end, write_end;
};

Expected<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{PGA_E_FAIL, "exec.start", "cannot make a pipe: " + reason(errno), "", 0};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // our end; the command's stays as commands expect it
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// What posix_spawn is told: its own process group, default signals, three descriptors.
class SpawnPlan {
 public:
  SpawnPlan(const Command& command, int out, int err) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, command.cwd.c_str());
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// Hands on what can be read now; false once there will be no more. One that writes as fast as we read is left after a while,
// which is more than a pipe holds.
template <class Take>
bool read_now(int fd, Take&& take) {
  char block[16 << 10];
  for (int blocks = 0; blocks < 16; ++blocks) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (got == 0 || !take(block, static_cast<std::size_t>(got))) return false;
  }
  return true;
}

}  // namespace

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Expected<Child> Child::start(const Command& command, const std::vector<std::string>& env) {
  PGA_TRY(Pipe out, make_pipe());
  PGA_TRY(Pipe err, make_pipe());
  const SpawnPlan plan(command, out.write_end.get(), err.write_end.get());
  const std::vector<char*> argv = pointers(command.argv), envp = pointers(env);
  Child child;
  const int failed = ::posix_spawn(&child.pid_, argv[0], &plan.actions, &plan.attributes, argv.data(), envp.data());
  if (failed != 0) return cannot_start(command, failed);
  child.out_ = std::move(out.read_end);
  child.err_ = std::move(err.read_end);
  child.end_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  return child;
}

void Child::read() {
  const auto keep = [this](const char* data, std::size_t size) {
    const std::size_t room = kOutputBytesMax - out_text_.size();
    out_text_.append(data, std::min(size, room));
    if (size > room) too_much_ = true;
    return size <= room;
  };
  const auto keep_tail = [this](const char* data, std::size_t size) {
    err_tail_.append(data, size);
    if (err_tail_.size() > kErrorTailBytes) err_tail_.erase(0, err_tail_.size() - kErrorTailBytes);
    err_bytes_ += size;
    if (err_bytes_ > kErrorBytesMax) too_much_ = true;
    return err_bytes_ <= kErrorBytesMax;
  };
  if (out_.get() >= 0 && !read_now(out_.get(), keep)) out_.close();
  if (err_.get() >= 0 && !read_now(err_.get(), keep_tail)) err_.close();
}

void Child::signal_group(int number) const { ::kill(-pid_, number); }

std::optional<Exit> Child::reap() {
  siginfo_t seen{};
  const int looked = ::waitid(P_PID, static_cast<id_t>(pid_), &seen, WEXITED | WNOHANG | WNOWAIT);
  const bool lost = looked != 0 && errno == ECHILD;  // somebody ignores SIGCHLD: it is gone, and how is not known
  if (!lost && (looked != 0 || seen.si_pid != pid_)) return std::nullopt;
  read();
  // Looked at first and reaped after the group was killed: as long as the leader is a zombie nobody else can have its number.
  signal_group(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  Exit exit;
  if (lost) return exit;
  (seen.si_code == CLD_EXITED ? exit.code : exit.signal) = seen.si_status;
  return exit;
}

std::string Child::last_error_line() const {
  std::string_view rest = err_tail_;
  rest.remove_suffix(rest.size() - (rest.find_last_not_of(" \t\r\n") + 1));  // npos + 1 is 0
  rest.remove_prefix(rest.find_last_of('\n') + 1);
  constexpr std::size_t kShownBytes = 300;
  std::string line = clipped(rest, kShownBytes);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return line;
}

}  // namespace pganalytics::exec
