#include "plugins/sysstat/postgres_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "plugins/sysstat/postgres_title.h"

namespace pganalytics::sysstat {
namespace {

constexpr std::uint64_t kOthersRounds = 8;  // how often a process that is none of PostgreSQL's is looked at again
constexpr std::uint64_t kIdleRounds = 4;    // how often one of PostgreSQL's that did nothing is
constexpr std::uint64_t kIoRounds = 6;
constexpr char kStarting[] = "starting";  // postgres_title.h

bool is_refusal(int failure) { return failure == EACCES || failure == EPERM; }

// The command of PostgreSQL's processes: the program's name, which some packages start as "postmaster".
bool is_postgres(std::string_view command) { return command == "postgres" || command == "postmaster"; }

std::uint64_t growth(std::uint64_t before, std::uint64_t after) { return after > before ? after - before : 0; }

// In a vector that is sorted by process id.
template <class Processes>
auto find_pid(Processes& sorted, pid_t pid) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), pid, [](const auto& each, pid_t wanted) { return each.pid < wanted; });
  return found != sorted.end() && found->pid == pid ? &*found : nullptr;
}

template <class Found>
void sort_by_pid(std::vector<Found>& found) {
  const auto by_pid = [](const Found& a, const Found& b) { return a.pid < b.pid; };
  if (!std::is_sorted(found.begin(), found.end(), by_pid)) std::sort(found.begin(), found.end(), by_pid);  // not a real /proc
}

}  // namespace

// In one of so many rounds, not in the same one as its neighbours.
bool PostgresProcesses::is_turn(pid_t pid, std::uint64_t rounds) const {
  return (static_cast<std::uint64_t>(pid) + round_) % rounds == 0;
}

bool PostgresProcesses::is_known_other(pid_t pid, std::uint64_t inode) const {
  const Other* const known = find_pid(others_before_, pid);
  return known != nullptr && known->inode == inode && !is_turn(pid, kOthersRounds);
}

void PostgresProcesses::take_process(int folder, pid_t pid, std::uint64_t inode) {
  if (is_known_other(pid, inode)) {
    others_.push_back({pid, inode});
    return;
  }
  const Process* const before = find_pid(before_, pid);
  if (before != nullptr && before->inode == inode && before->idle && !is_turn(pid, kIdleRounds)) {
    processes_.push_back(*before);
    return;
  }
  ProcessReader reader(folder);
  const auto stat = parse_process_stat(reader.read(pid, "stat").text);
  if (!stat) return;  // it has ended
  if (!is_postgres(stat->command)) {
    others_.push_back({pid, inode});
    return;
  }
  Process process;
  process.pid = pid;
  process.inode = inode;
  process.parent = stat->parent;
  process.start_ticks = stat->start_ticks;
  process.cpu_ticks = stat->cpu_ticks;
  process.rss_pages = stat->rss_pages;
  processes_.push_back(process);
}

bool PostgresProcesses::list_processes(int folder, Gaps& gaps) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(dup(folder)), closedir);
  if (!entries) {
    gaps.push_back({"processes", "proc.unreadable", "cannot list " + proc_path_ + ": " + std::strerror(errno), ""});
    return false;
  }
  bool first_seen = false;
  while (const dirent* const entry = readdir(entries.get())) {
    const auto pid = to_number<pid_t>(entry->d_name);
    if (!pid || *pid <= 0) continue;
    first_seen = first_seen || *pid == 1;
    take_process(folder, *pid, entry->d_ino);
  }
  sort_by_pid(processes_);
  sort_by_pid(others_);
  if (!first_seen) {
    gaps.push_back({"processes", "proc.hidden", proc_path_ + " shows no process 1: those of other users are hidden",
                    "If proc is mounted with hidepid, add the collector's user to its gid= group."});
  }
  return true;
}

// The postmaster of a process is the topmost of PostgreSQL's above it.
void PostgresProcesses::find_postmasters() {
  for (Process& process : processes_) {
    const Process* top = &process;
    for (std::size_t steps = 0; steps < processes_.size(); ++steps) {  // a loop of parents is none of the kernel's making
      const Process* const parent = find_pid(processes_, top->parent);
      if (parent == nullptr || parent == top) break;
      top = parent;
    }
    process.postmaster = top->pid;
  }
}

const PostgresProcesses::Process* PostgresProcesses::before_of(const Process& process) const {
  const Process* const before = find_pid(before_, process.pid);
  return before != nullptr && before->start_ticks == process.start_ticks ? before : nullptr;
}

// A title is there as soon as a process knows what it is, and how it begins stays.
void PostgresProcesses::name_process(int folder, Process& process) {
  const Process* const before = before_of(process);
  if (before != nullptr && before->postmaster == process.postmaster && std::strcmp(before->type, kStarting) != 0) {
    process.type = before->type;
    return;
  }
  ProcessReader reader(folder);
  const std::string_view cmdline = reader.read(process.pid, "cmdline").text;
  process.type = backend_type_of(cmdline);
  if (process.pid != process.postmaster) return;
  if (std::strcmp(process.type, kStarting) == 0) process.type = "postmaster";
  PostmasterArguments arguments = postmaster_arguments(cmdline);
  servers_[process.pid] = {};
  servers_[process.pid].start_ticks = process.start_ticks;
  servers_[process.pid].data_directory = std::move(arguments.data_directory);
  servers_[process.pid].port = std::move(arguments.port);
}

void PostgresProcesses::read_anonymous(int folder, Process& process) {
  if (process.anonymous_of_pages == process.rss_pages) return;
  ProcessReader reader(folder);
  process.anonymous_pages = parse_anonymous_pages(reader.read(process.pid, "statm").text);
  process.anonymous_of_pages = process.rss_pages;
}

void PostgresProcesses::read_io(int folder, Process& process, Totals& totals) {
  Server& server = servers_[process.postmaster];
  const bool due = !process.io_known || is_turn(process.pid, kIoRounds);
  if (server.io_refused || !due) return;
  ProcessReader reader(folder);
  const ProcessText text = reader.read(process.pid, "io");
  if (text.failure != 0) {
    server.io_refused = server.io_refused || is_refusal(text.failure);
    return;
  }
  const ProcessIo io = parse_process_io(text.text);
  totals.read_bytes += growth(process.io.read_bytes.value_or(0), io.read_bytes.value_or(0));
  totals.write_bytes += growth(process.io.write_bytes.value_or(0), io.write_bytes.value_or(0));
  process.io = io;
  process.io_known = true;
  server.io_known = true;
}

void PostgresProcesses::add_growth(int folder, Process& process) {
  const Process* const before = before_of(process);
  if (before != nullptr) {
    process.anonymous_pages = before->anonymous_pages;
    process.anonymous_of_pages = before->anonymous_of_pages;
    process.io = before->io;
    process.io_known = before->io_known;
    process.pss_bytes = before->pss_bytes;
    process.pss_round = before->pss_round;
    process.idle = before->cpu_ticks == process.cpu_ticks && before->rss_pages == process.rss_pages;
  }
  Totals& totals = servers_[process.postmaster].totals[process.type];
  totals.cpu_ticks += growth(before != nullptr ? before->cpu_ticks : 0, process.cpu_ticks);
  read_anonymous(folder, process);
  read_io(folder, process, totals);
}

// One process: that of the oldest sample, of several the largest.
void PostgresProcesses::sample_pss(int folder) {
  const auto begin = Clock::now();
  if (begin < pss_due_) return;
  std::vector<Process*> order;
  for (Process& process : processes_) order.push_back(&process);
  std::sort(order.begin(), order.end(), [](const Process* a, const Process* b) {
    return std::tuple(a->pss_round, ~a->rss_pages) < std::tuple(b->pss_round, ~b->rss_pages);
  });
  for (auto& server : servers_) server.second.pss_refused = false;
  ProcessReader reader(folder);
  for (Process* const process : order) {
    Server& server = servers_[process->postmaster];
    if (server.pss_refused) continue;
    const ProcessText text = reader.read(process->pid, "smaps_rollup");
    server.pss_refused = is_refusal(text.failure);
    if (server.pss_refused) continue;
    process->pss_bytes = parse_pss_bytes(text.text);
    process->pss_round = round_;
    break;
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  pss_due_ = begin + std::chrono::duration_cast<Clock::duration>(took / kPssBudget);
}

std::vector<ProcessGroup> PostgresProcesses::groups() const {
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::map<std::pair<pid_t, std::string_view>, ProcessGroup> groups;
  for (const Process& process : processes_) {
    ProcessGroup& group = groups[{process.postmaster, process.type}];
    if (group.count++ == 0) {
      const Server& server = servers_.at(process.postmaster);
      const Totals& totals = server.totals.at(process.type);
      group.data_directory = server.data_directory;
      group.port = server.port;
      group.postmaster = process.postmaster;
      group.backend_type = process.type;
      group.cpu_seconds = static_cast<double>(totals.cpu_ticks) / ticks_per_second;
      if (server.io_known && !server.io_refused) {
        group.read_bytes = totals.read_bytes;
        group.write_bytes = totals.write_bytes;
      }
    }
    group.rss_bytes += process.rss_pages * page_bytes;
    if (process.anonymous_pages) {
      group.anonymous_bytes = group.anonymous_bytes.value_or(0) + *process.anonymous_pages * page_bytes;
    }
    if (!process.pss_bytes) continue;
    group.pss_bytes = group.pss_bytes.value_or(0) + *process.pss_bytes;
    ++group.pss_count;
  }
  std::vector<ProcessGroup> sums;
  for (auto& each : groups) sums.push_back(std::move(each.second));
  return sums;
}

void PostgresProcesses::tell_refused(Gaps& gaps) const {
  std::size_t io = 0;
  std::size_t pss = 0;
  for (const auto& [pid, server] : servers_) {
    io += server.io_refused ? 1 : 0;
    pss += server.pss_refused ? 1 : 0;
  }
  if (io + pss == 0) return;
  const std::string what = io == 0 ? "PSS" : pss == 0 ? "I/O" : "I/O and PSS";
  const std::string of = std::to_string(std::max(io, pss)) + " of " + std::to_string(servers_.size());
  gaps.push_back({"processes", "proc.denied", what + " of the processes of " + of + " servers may not be read",
                  "It takes the server's user (user = \"postgres\") or CAP_SYS_PTRACE, and no sandbox (sandbox = false).", true});
}

std::vector<ProcessGroup> PostgresProcesses::read(Gaps& gaps) {
  ++round_;
  std::swap(processes_, before_);
  std::swap(others_, others_before_);
  processes_.clear();
  others_.clear();
  const int folder = ::open(proc_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || !list_processes(folder, gaps)) {
    if (folder < 0)
      gaps.push_back({"processes", "proc.unreadable", "cannot list " + proc_path_ + ": " + std::strerror(errno), ""});
    if (folder >= 0) ::close(folder);
    return {};
  }
  find_postmasters();
  for (auto server = servers_.begin(); server != servers_.end();) {
    server->second.io_refused = false;
    const Process* const postmaster = find_pid(processes_, server->first);
    const bool lives = postmaster != nullptr && postmaster->start_ticks == server->second.start_ticks;
    server = lives ? std::next(server) : servers_.erase(server);
  }
  for (Process& process : processes_) name_process(folder, process);
  for (Process& process : processes_) add_growth(folder, process);
  sample_pss(folder);
  ::close(folder);
  tell_refused(gaps);
  return groups();
}

void to_json(JsonWriter& writer, const ProcessGroup& group) {
  writer.begin_object();
  writer.member("data_directory", text_or_null(group.data_directory)).member("backend_type", group.backend_type);
  writer.member("port", text_or_null(group.port)).member("postmaster_pid", group.postmaster);
  writer.member("processes", group.count).member("rss_bytes", group.rss_bytes);
  writer.member("anonymous_bytes", group.anonymous_bytes);
  writer.member("pss_bytes", group.pss_bytes).member("pss_processes", group.pss_count);
  writer.member("cpu_seconds", group.cpu_seconds);
  writer.member("read_bytes", group.read_bytes).member("write_bytes", group.write_bytes);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
