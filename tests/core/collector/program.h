// The real program as a child process: run to its end, or watched while it runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace pganalytics::collector_test {

struct Ended {
  int exit_code = -1;  // 128 + signal if a signal ended it
  std::string out, err;
};

// pganalytics with these arguments, `input` on its standard input.
Ended run_program(const std::vector<std::string>& arguments, const std::string& input = "");

// pganalytics in the background; standard error goes to `log_path`. Killed with the object if it still runs.
class RunningProgram {
 public:
  RunningProgram(const std::vector<std::string>& arguments, const std::string& log_path);
  RunningProgram(const RunningProgram&) = delete;
  RunningProgram& operator=(const RunningProgram&) = delete;
  ~RunningProgram();

  void signal(int number) const;
  int wait();  // the exit code, as in Ended
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace pganalytics::collector_test
