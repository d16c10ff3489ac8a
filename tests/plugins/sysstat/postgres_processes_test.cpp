// PostgreSQL's processes: on a recorded /proc that changes under it.
#include "plugins/sysstat/postgres_processes.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>

#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;
using testing::FakeProc;

namespace {

using Groups = std::map<std::string, ProcessGroup>;  // "pid of the postmaster, type"

Groups read(PostgresProcesses& processes) {
  Gaps gaps;
  Groups groups;
  for (const ProcessGroup& group : processes.read(gaps)) {
    groups[std::to_string(group.postmaster) + " " + group.backend_type] = group;
  }
  return groups;
}

std::string stat_of(int pid, const std::string& command, int parent, int user_ticks, int system_ticks, int start_ticks,
                    int rss_pages) {
  const auto number = [](int value) { return " " + std::to_string(value); };
  return std::to_string(pid) + " (" + command + ") S" + number(parent) + " 0 0 0 -1 0 0 0 0 0" + number(user_ticks) +
         number(system_ticks) + " 0 0 20 0 1 0" + number(start_ticks) + " 654573568" + number(rss_pages) + " 0 0\n";
}

std::string io_of(long read_bytes, long write_bytes) {
  return "rchar: 1\nread_bytes: " + std::to_string(read_bytes) + "\nwrite_bytes: " + std::to_string(write_bytes) +
         "\ncancelled_write_bytes: 7\n";
}

const double kTicksPerSecond = static_cast<double>(sysconf(_SC_CLK_TCK));
const auto kPageBytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));

}  // namespace

TEST_CASE("processes are added up by server and type") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  Gaps gaps;
  const auto groups = processes.read(gaps);
  CHECK(gaps.empty());
  CHECK(groups.size() == 9);

  const Groups by_name = read(processes);
  REQUIRE(by_name.count("901 client backend") == 1);
  const ProcessGroup& sessions = by_name.at("901 client backend");
  CHECK(sessions.data_directory == "/var/lib/postgresql/15/main");
  CHECK(sessions.port.empty());
  CHECK(sessions.count == 2);
  CHECK(sessions.rss_bytes == 70000 * kPageBytes);
  CHECK(sessions.anonymous_bytes == 5000 * kPageBytes);  // of the one that says
  CHECK_FALSE(by_name.at("901 checkpointer").anonymous_bytes);
  CHECK(sessions.cpu_seconds == Approx(2200 / kTicksPerSecond));
  CHECK(sessions.read_bytes == 8388608u + 4194304u);
  CHECK(sessions.write_bytes == 8192u);
  CHECK(by_name.at("901 checkpointer").write_bytes == 73400320u);
  CHECK(by_name.at("901 postmaster").count == 1);
  CHECK(by_name.at("950 walsender").count == 1);
  CHECK(by_name.at("950 io worker").data_directory == "/srv/pg17");
  CHECK(by_name.at("950 io worker").port == "5433");
}

TEST_CASE("memory of its own is counted anew when a process has grown or shrunk") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  read(processes);
  proc.write("920/stat", stat_of(920, "postgres", 901, 1501, 500, 1920, 41000));
  proc.write("920/statm", "159803 41000 35000 1 0 9000 0\n");
  CHECK(read(processes).at("901 client backend").anonymous_bytes == 6000 * kPageBytes);
}

TEST_CASE("nothing of a title but the type is told") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  Gaps gaps;
  JsonWriter writer;
  writer.begin_array();
  for (const ProcessGroup& group : processes.read(gaps)) to_json(writer, group);
  writer.end_array();
  for (const char* name : {"alice", "bob", "ledger", "10.0.0.7", "SELECT", "replica"}) {
    INFO(name);
    CHECK(writer.text().find(name) == std::string::npos);
  }
}

TEST_CASE("counters go on when processes end, come, and when an id is used again") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  const double first = read(processes).at("901 client backend").cpu_seconds;

  proc.remove("921");
  proc.write("920/stat", stat_of(920, "postgres", 901, 1600, 500, 1920, 41000));
  CHECK(read(processes).at("901 client backend").cpu_seconds == Approx(first + 100 / kTicksPerSecond));

  // Another session under the id of one that ended between two readings, and one with another id.
  proc.write("920/stat", stat_of(920, "postgres", 901, 30, 0, 99999, 1000));
  proc.write("930/stat", stat_of(930, "postgres", 901, 7, 3, 99999, 1000));
  proc.write("930/cmdline", "postgres: 15/main: dave ledger [local] idle");
  const Groups third = read(processes);
  CHECK(third.at("901 client backend").count == 2);
  CHECK(third.at("901 client backend").cpu_seconds == Approx(first + 140 / kTicksPerSecond));

  proc.remove("920");
  proc.remove("930");
  CHECK(read(processes).count("901 client backend") == 0);
  proc.write("940/stat", stat_of(940, "postgres", 901, 1, 0, 99999, 1000));
  proc.write("940/cmdline", "postgres: 15/main: erin ledger [local] idle");
  CHECK(read(processes).at("901 client backend").cpu_seconds == Approx(first + 141 / kTicksPerSecond));
}

TEST_CASE("the I/O of each process is read within six readings, and counts what it grew") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  REQUIRE(read(processes).at("901 client backend").read_bytes == 12582912u);
  proc.write("920/io", io_of(8388608 + 1000, 20));
  proc.write("921/io", io_of(4194304 + 500, 8192 + 1));
  for (int reading = 0; reading < 5; ++reading) read(processes);
  const Groups groups = read(processes);
  CHECK(groups.at("901 client backend").read_bytes == 12582912u + 1500u);
  CHECK(groups.at("901 client backend").write_bytes == 8192u + 21u);
}

TEST_CASE("what a process does after it was idle is counted within four readings, and once") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  const double before = read(processes).at("901 checkpointer").cpu_seconds;
  for (int reading = 0; reading < 5; ++reading) read(processes);
  proc.write("910/stat", stat_of(910, "postgres", 901, 50 + 30, 70, 1910, 2000));
  for (int reading = 0; reading < 4; ++reading) read(processes);
  CHECK(read(processes).at("901 checkpointer").cpu_seconds == Approx(before + 30 / kTicksPerSecond));
}

TEST_CASE("another process under the id of an idle one is seen at once") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  for (int reading = 0; reading < 5; ++reading) read(processes);
  proc.write("another/stat", stat_of(910, "postgres", 901, 3, 4, 99999, 1000));
  proc.write("another/cmdline", "postgres: 15/main: dave ledger [local] idle");
  proc.remove("910");
  std::filesystem::rename(proc.path("another"), proc.path("910"));
  const double sessions_before = 2200 / kTicksPerSecond;
  const Groups groups = read(processes);
  CHECK(groups.count("901 checkpointer") == 0);
  CHECK(groups.at("901 client backend").cpu_seconds == Approx(sessions_before + 7 / kTicksPerSecond));
}

TEST_CASE("of a thousand processes all are counted, and no file stays open: a worker may have 256") {
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  const FakeProc proc;
  proc.write("1/stat", stat_of(1, "init", 0, 0, 0, 1, 1));
  proc.write("900/stat", stat_of(900, "postgres", 1, 0, 0, 500, 10));
  proc.write("900/cmdline", std::string("postgres\0-D\0/srv/pg\0", 20));
  for (int pid = 5000; pid < 6000; ++pid) {
    proc.write(std::to_string(pid) + "/stat", stat_of(pid, "postgres", 900, 1, 0, 600, 10));
    proc.write(std::to_string(pid) + "/cmdline", "postgres: alice ledger [local] idle");
  }
  PostgresProcesses processes(proc.path(""));
  const auto before = open_files();
  for (int reading = 0; reading < 3; ++reading) CHECK(read(processes).at("900 client backend").count == 1000);
  CHECK(open_files() == before);
}

TEST_CASE("a process gets its type when it has its title") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  proc.write("960/stat", stat_of(960, "postgres", 901, 1, 1, 99999, 1000));
  proc.write("960/cmdline", std::string("/usr/lib/postgresql/15/bin/postgres\0-D\0/x\0", 42));
  PostgresProcesses processes(proc.path(""));
  CHECK(read(processes).at("901 starting").count == 1);
  proc.write("960/cmdline", "postgres: 15/main: autovacuum worker ledger");
  const Groups second = read(processes);
  CHECK(second.count("901 starting") == 0);
  CHECK(second.at("901 autovacuum worker").count == 1);
}

TEST_CASE("PSS is sampled, one process in a reading, and the sum says of how many it is") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  const Groups first = read(processes);
  std::uint64_t sampled = 0;
  for (const auto& [name, group] : first) sampled += group.pss_count;
  CHECK(sampled == 1);
  CHECK(first.at("901 client backend").pss_bytes == 21000u * 1024);  // the largest first
  CHECK_FALSE(first.at("901 checkpointer").pss_bytes);

  Groups later;
  REQUIRE(testing::eventually([&] {
    later = read(processes);
    return std::all_of(later.begin(), later.end(), [](const auto& each) { return each.second.pss_count == each.second.count; });
  }));
  CHECK(later.at("901 client backend").pss_bytes == (21000u + 11000u) * 1024);
}

TEST_CASE("a server that restarts is another one") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  PostgresProcesses processes(proc.path(""));
  read(processes);
  for (const char* pid : {"910", "911", "912", "913", "920", "921"}) proc.remove(pid);
  proc.write("901/stat", stat_of(901, "postgres", 1, 2, 1, 88888, 100));
  proc.write("901/cmdline", std::string("postgres\0-D\0/elsewhere\0", 23));
  const Groups groups = read(processes);
  CHECK(groups.at("901 postmaster").data_directory == "/elsewhere");
  CHECK(groups.at("901 postmaster").cpu_seconds == Approx(3 / kTicksPerSecond));
  CHECK(groups.count("901 client backend") == 0);
}

TEST_CASE("a process that becomes a postmaster by exec() is found") {
  const FakeProc proc;
  proc.write("1/stat", stat_of(1, "init", 0, 0, 0, 1, 1));
  proc.write("70/stat", stat_of(70, "sh", 1, 0, 0, 500, 10));
  proc.write("70/cmdline", std::string("postgres\0-D\0/srv/pg\0", 20));
  PostgresProcesses processes(proc.path(""));
  CHECK(read(processes).empty());
  proc.write("70/stat", stat_of(70, "postgres", 1, 0, 0, 500, 10));
  bool found = false;
  for (int reading = 0; reading < 8 && !found; ++reading) found = read(processes).count("70 postmaster") == 1;
  CHECK(found);
}

TEST_CASE("a postmaster may have a higher process id than its children") {
  const FakeProc proc;
  proc.write("1/stat", stat_of(1, "init", 0, 0, 0, 1, 1));
  proc.write("30/stat", stat_of(30, "postgres", 32000, 5, 0, 600, 10));
  proc.write("30/cmdline", "postgres: walwriter ");
  proc.write("32000/stat", stat_of(32000, "postgres", 1, 0, 0, 500, 10));
  proc.write("32000/cmdline", std::string("postgres\0-D\0/srv/pg\0", 20));
  PostgresProcesses processes(proc.path(""));
  const Groups groups = read(processes);
  CHECK(groups.at("32000 walwriter").data_directory == "/srv/pg");
  CHECK(groups.at("32000 walwriter").cpu_seconds == Approx(5 / kTicksPerSecond));
}

TEST_CASE("what the kernel does not count is null, not 0") {
  PostgresProcesses processes(testing::recorded_tree("container/proc"));
  const Groups groups = read(processes);
  CHECK(groups.size() == 3);
  CHECK(groups.at("1 client backend").count == 1);
  CHECK(groups.at("1 client backend").data_directory.empty());
  for (const auto& [name, group] : groups) {
    INFO(name);
    CHECK_FALSE(group.read_bytes);
    CHECK_FALSE(group.pss_bytes);
  }
}

TEST_CASE("what may not be read is null, with a reason and what cures it") {
  if (geteuid() == 0 && ::seteuid(65534) != 0) return;  // root may read everything
  const bool lowered = geteuid() == 65534;
  PostgresProcesses* processes = nullptr;
  Gaps gaps;
  std::vector<ProcessGroup> groups;
  {
    const FakeProc proc;
    proc.take(testing::recorded_tree("database_host/proc"));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(proc.path(""))) {
      const std::string name = entry.path().filename();
      if (name == "io" || name == "smaps_rollup") std::filesystem::permissions(entry.path(), std::filesystem::perms::none);
    }
    PostgresProcesses refused(proc.path(""));
    processes = &refused;
    groups = processes->read(gaps);
  }
  if (lowered) CHECK(::seteuid(0) == 0);
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].part == "processes");
  CHECK(gaps[0].code == "proc.denied");
  CHECK(gaps[0].optional);
  CHECK(gaps[0].message == "I/O and PSS of the processes of 2 of 2 servers may not be read");
  CHECK(gaps[0].hint.find("sandbox = false") != std::string::npos);
  CHECK(groups.size() == 9);
  for (const ProcessGroup& group : groups) {
    CHECK(group.cpu_seconds > 0);
    CHECK_FALSE(group.read_bytes);
    CHECK_FALSE(group.pss_bytes);
  }
}

TEST_CASE("a /proc that hides other users' processes is told") {
  const FakeProc proc;
  PostgresProcesses processes(proc.path(""));
  Gaps gaps;
  CHECK(processes.read(gaps).empty());
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].code == "proc.hidden");
  PostgresProcesses nowhere(proc.path("nowhere"));
  CHECK(nowhere.read(gaps).empty());
  CHECK(gaps.back().code == "proc.unreadable");
}

TEST_CASE("texts that are no process's are passed over") {
  CHECK_FALSE(parse_process_stat(""));
  CHECK_FALSE(parse_process_stat("1 (a) S"));
  CHECK_FALSE(parse_process_stat("1 )a( S 1"));
  CHECK_FALSE(parse_process_stat("1 (a) S x 0 0 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7"));
  CHECK_FALSE(parse_process_stat("1 (a) S 1 0 0 0 -1 0 0 0 0 0 -1 1 0 0 20 0 1 0 5 6 7"));
  const auto odd = parse_process_stat("7 (a) (b) S) R 3 0 0 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 5 6 7");
  REQUIRE(odd);
  CHECK(odd->command == "a) (b) S");
  CHECK(odd->parent == 3);
  CHECK(odd->cpu_ticks == 3);
  CHECK(odd->start_ticks == 5);
  CHECK(odd->rss_pages == 7);
  CHECK(parse_anonymous_pages("9 7 4 1 0 1 0\n") == 3u);
  CHECK_FALSE(parse_anonymous_pages("9 7\n"));
  CHECK_FALSE(parse_anonymous_pages("9 4 7 1\n"));
  CHECK_FALSE(parse_pss_bytes("Rss: 5 kB\nPss_Dirty: 5 kB\n"));
}
