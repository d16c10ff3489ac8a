#include "tests/core/collector/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace pganalytics::collector_test {
namespace {

std::vector<char*> argument_list(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void become_program(std::vector<std::string> words) {
  words.insert(words.begin(), PROGRAM_PATH);
  ::execv(PROGRAM_PATH, argument_list(words).data());
  ::_exit(126);
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

struct Pipe {
  int fds[2] = {-1, -1};
  Pipe() {
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int end) {
    if (fds[end] >= 0) ::close(fds[end]);
    fds[end] = -1;
  }
  // False at the end of what comes.
  bool read_into(std::string& text) const {
    char buffer[4096];
    const ssize_t got = ::read(fds[0], buffer, sizeof buffer);
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }
};

void read_both(Pipe& out, Pipe& err, Ended& ended) {
  bool out_open = true, err_open = true;
  while (out_open || err_open) {
    pollfd fds[] = {{out_open ? out.fds[0] : -1, POLLIN, 0}, {err_open ? err.fds[0] : -1, POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (fds[0].revents != 0) out_open = out.read_into(ended.out);
    if (fds[1].revents != 0) err_open = err.read_into(ended.err);
  }
}

}  // namespace

Ended run_program(const std::vector<std::string>& arguments, const std::string& input) {
  Pipe in, out, err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.fds[0], STDIN_FILENO);
    ::dup2(out.fds[1], STDOUT_FILENO);
    ::dup2(err.fds[1], STDERR_FILENO);
    become_program(arguments);
  }
  out.close_end(1);
  err.close_end(1);
  if (::write(in.fds[1], input.data(), input.size()) != static_cast<ssize_t>(input.size())) throw std::runtime_error("write");
  in.close_end(1);
  Ended ended;
  read_both(out, err, ended);
  int status = 0;
  ::waitpid(child, &status, 0);
  ended.exit_code = code_of(status);
  return ended;
}

RunningProgram::RunningProgram(const std::vector<std::string>& arguments, const std::string& log_path) : pid_(::fork()) {
  if (pid_ != 0) return;
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(nothing, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  become_program(arguments);
}

RunningProgram::~RunningProgram() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void RunningProgram::signal(int number) const { ::kill(pid_, number); }

int RunningProgram::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return code_of(status);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace pganalytics::collector_test
