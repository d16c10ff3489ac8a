#include "core/validator/checker_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock/clock.h"

extern char** environ;

namespace pganalytics::validator {
namespace {

// What a plugin writes without end is kept up to here, and read all the same.
constexpr std::size_t kTextBytesMax = 256u << 10;
// Above every descriptor that the child gets, so that no dup2 overwrites the source of a later one.
constexpr int kAbove = kRequestDescriptor + 1;

Error failed_to(const std::string& what, int code) {
  return Error{PGA_E_FAIL, "validator.spawn", "cannot " + what + ": " + std::strerror(code), "", 0};
}

host::Descriptor moved_above(host::Descriptor descriptor) {
  return host::Descriptor(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kAbove));
}

struct Pipe {
  host::Descriptor read_end, write_end;
};

Expected<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed_to("make a pipe", errno);
  Pipe made{host::Descriptor(ends[0]), moved_above(host::Descriptor(ends[1]))};
  fcntl(made.read_end.get(), F_SETFL, O_NONBLOCK);
  return made;
}

// The request as a file without a name, to be read from its beginning.
Expected<host::Descriptor> make_request(const Request& request) {
  const std::string text = to_json(request);
  host::Descriptor file(moved_above(host::Descriptor(memfd_create("request", MFD_CLOEXEC))));
  const ssize_t written = write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || lseek(file.get(), 0, SEEK_SET) != 0) {
    return failed_to("write the request to a checker", errno);
  }
  return file;
}

// Nothing that would make the dynamic linker load other code than the worker does.
std::vector<char*> environment_without_linker() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).substr(0, 3) != "LD_") kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

// posix_spawn's two option objects, released together.
class SpawnOptions {
 public:
  SpawnOptions(int answer, int request, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, answer, kAnswerDescriptor);
    posix_spawn_file_actions_adddup2(&actions_, request, kRequestDescriptor);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// False: nothing more will come.
bool read_available(int descriptor, std::string& text) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (text.size() < kTextBytesMax) text.append(buffer, static_cast<std::size_t>(got));
  }
}

// The line of what it printed that says most: a sanitizer's summary, else the last one.
std::string telling_line(const std::string& output) {
  std::string line, last;
  for (std::size_t begin = 0; begin < output.size(); begin += line.size() + 1) {
    line = output.substr(begin, output.find('\n', begin) - begin);
    if (line.rfind("SUMMARY: ", 0) == 0) return line;
    if (!line.empty()) last = line;
  }
  return last;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return "it died of signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  }
  return "it ended the process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Expected<CheckerProcess> CheckerProcess::start(const std::string& checker_path, const Request& request, std::int64_t timeout_ms) {
  PGA_TRY(Pipe answer, make_pipe());
  PGA_TRY(Pipe output, make_pipe());
  PGA_TRY(const host::Descriptor question, make_request(request));
  const SpawnOptions options(answer.write_end.get(), question.get(), output.write_end.get());
  std::vector<char*> environment = environment_without_linker();
  std::string name = "pganalytics-checker", file = request.file, check = request.check;
  std::array<char*, 4> arguments = {name.data(), file.data(), check.data(), nullptr};  // for people who look at `ps`
  pid_t pid = 0;
  const int code =
      posix_spawn(&pid, checker_path.c_str(), options.actions(), options.attributes(), arguments.data(), environment.data());
  if (code != 0) return failed_to("start " + checker_path, code);
  return CheckerProcess(pid, std::move(answer.read_end), std::move(output.read_end), timeout_ms);
}

CheckerProcess::CheckerProcess(pid_t pid, host::Descriptor answer, host::Descriptor output, std::int64_t timeout_ms)
    : pid_(pid),
      death_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      answer_(std::move(answer)),
      output_(std::move(output)),
      timeout_ms_(timeout_ms),
      started_ns_(clock::now_monotonic_ns()) {}

CheckerProcess::CheckerProcess(CheckerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      death_(std::move(other.death_)),
      answer_(std::move(other.answer_)),
      output_(std::move(other.output_)),
      answer_text_(std::move(other.answer_text_)),
      output_text_(std::move(other.output_text_)),
      timeout_ms_(other.timeout_ms_),
      started_ns_(other.started_ns_),
      ended_ns_(other.ended_ns_),
      late_(other.late_),
      wait_status_(other.wait_status_) {}

CheckerProcess::~CheckerProcess() {
  if (pid_ == 0) return;
  kill(-pid_, SIGKILL);
  reap(0);
}

void CheckerProcess::add_to_poll(std::vector<pollfd>& fds) const {
  fds.push_back({death_.get(), POLLIN, 0});
  if (!answer_closed_) fds.push_back({answer_.get(), POLLIN, 0});
  if (!output_closed_) fds.push_back({output_.get(), POLLIN, 0});
}

void CheckerProcess::turn() {
  if (pid_ == 0) return;
  const auto read_both = [this] {
    answer_closed_ = !read_available(answer_.get(), answer_text_);
    output_closed_ = !read_available(output_.get(), output_text_);
  };
  read_both();
  if (!late_ && clock::now_monotonic_ns() >= deadline_ns()) {
    late_ = true;
    kill(-pid_, SIGKILL);
  }
  if (!reap(WNOHANG)) return;
  kill(-group_, SIGKILL);  // what the plugin left behind
  read_both();
}

bool CheckerProcess::reap(int options) {
  const pid_t reaped = waitpid(pid_, &wait_status_, options);
  if (reaped == 0 || (reaped < 0 && errno == EINTR)) return false;
  group_ = std::exchange(pid_, 0);
  ended_ns_ = clock::now_monotonic_ns();
  return true;
}

Finding CheckerProcess::finding() const {
  const Answer answer = parse_answer(answer_text_);
  if (answer.finding) return *answer.finding;
  const std::string where = answer.at.empty() ? "" : " in " + answer.at;
  if (late_) return Finding::fail("it did not end within " + std::to_string(timeout_ms_ / 1000) + " s" + where);
  const std::string said = telling_line(output_text_);
  return Finding::fail(how_it_ended(wait_status_) + where + (said.empty() ? "" : "; it said: " + said));
}

}  // namespace pganalytics::validator
