// PostgreSQL's own processes on this machine, added up by server and type of process: memory, CPU time, I/O.
//
// Here: finding them in /proc, what each has done since the reading before, the sums, the sampling of what is costly. Not here:
// what the texts mean (process_files.h, postgres_title.h). One thread; an object remembers what its last read() saw.
//
// CPU and I/O are counters: a process adds what it has done since it was seen last, and one that is new all it has done since it
// began. So they never fall when processes end; what one did between its last reading and its end is not in them. They begin anew
// with the object and with the server.
//
// Costs. /proc/PID/stat of each process of PostgreSQL: in each read(), of one that did nothing
// since it was read last in every fourth. Others are known by their entry in /proc and looked at now and then, as one may become
// a postmaster by exec(). I/O of each process in every sixth read(). PSS makes the kernel walk all page tables of the process,
// some milliseconds with large shared buffers: one process in a read(), and no more of the time than kPssBudget. Where reading
// I/O or PSS is refused, one process of each server is asked in a read().
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <pganalytics/json.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "plugins/sysstat/gap.h"
#include "plugins/sysstat/process_files.h"
#include "plugins/sysstat/process_reader.h"

namespace pganalytics::sysstat {

// All processes of one type of one server.
struct ProcessGroup {
  std::string data_directory, port;  // as the postmaster was told them; empty: it was not
  pid_t postmaster = 0;
  const char* backend_type = "";
  std::uint64_t count = 0;
  std::uint64_t rss_bytes = 0;
  Count anonymous_bytes;
  Count pss_bytes;  // of those sampled so far, each as it was then
  std::uint64_t pss_count = 0;
  double cpu_seconds = 0;
  Count read_bytes, write_bytes;  // null: we may not read them, or the kernel does not count them
};

class PostgresProcesses {
 public:
  // The part of the time that may go into reading PSS.
  static constexpr double kPssBudget = 1e-4;

  explicit PostgresProcesses(std::string proc_path) : proc_path_(std::move(proc_path)) {}

  // In the order of postmasters and types. What we may not see is told in `gaps`.
  std::vector<ProcessGroup> read(Gaps& gaps);

 private:
  using Clock = std::chrono::steady_clock;

  struct Process {
    pid_t pid = 0;
    std::uint64_t inode = 0;
    std::uint64_t start_ticks = 0;
    pid_t parent = 0;
    pid_t postmaster = 0;
    const char* type = nullptr;
    std::uint64_t rss_pages = 0;
    std::uint64_t cpu_ticks = 0;
    bool idle = false;  // nothing has changed between its last two readings
    Count anonymous_pages;
    std::uint64_t anonymous_of_pages = 0;  // of how many in RAM; they are counted anew when these are others
    ProcessIo io;
    bool io_known = false;
    Count pss_bytes;
    std::uint64_t pss_round = 0;
  };
  struct Other {  // a process that is none of PostgreSQL's
    pid_t pid;
    std::uint64_t inode;  // of its entry in /proc: another process of the same id has another
  };
  struct Totals {
    std::uint64_t cpu_ticks = 0, read_bytes = 0, write_bytes = 0;
  };
  struct Server {
    std::uint64_t start_ticks = 0;
    std::string data_directory, port;
    std::map<std::string_view, Totals> totals;  // by type
    bool io_known = false;                      // of one process at least
    bool io_refused = false;                    // in this read()
    bool pss_refused = false;                   // when PSS was read last
  };

  bool list_processes(int folder, Gaps& gaps);
  void take_process(int folder, pid_t pid, std::uint64_t inode);
  bool is_turn(pid_t pid, std::uint64_t rounds) const;
  bool is_known_other(pid_t pid, std::uint64_t inode) const;
  void find_postmasters();
  const Process* before_of(const Process& process) const;
  void name_process(int folder, Process& process);
  void add_growth(int folder, Process& process);
  static void read_anonymous(int folder, Process& process);
  void read_io(int folder, Process& process, Totals& totals);
  void sample_pss(int folder);
  std::vector<ProcessGroup> groups() const;
  void tell_refused(Gaps& gaps) const;

  std::string proc_path_;
  std::uint64_t round_ = 0;
  std::vector<Process> processes_, before_;  // by ascending pid, as /proc lists them
  std::vector<Other> others_, others_before_;
  std::map<pid_t, Server> servers_;
  Clock::time_point pss_due_{};
};

void to_json(JsonWriter& writer, const ProcessGroup& group);

}  // namespace pganalytics::sysstat
