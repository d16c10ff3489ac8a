// The same figures from programs that others wrote: vmstat, free, ps (procps) and iostat (sysstat). Each test is skipped, with a
// warning, where its program is not installed.
#include <rapidjson/document.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <pganalytics/testhost.hpp>
#include <pganalytics/text.hpp>
#include <string>
#include <thread>

#include "tests/plugins/alone.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using testing::only_document;

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  std::array<char, 4096> block{};
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("LC_ALL=C " + command).c_str(), "r"), pclose);
  REQUIRE(pipe);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe.get())) text.append(block.data(), got);
  return text;
}

bool is_missing(const std::string& program, const std::string& package) {
  if (!output_of("command -v " + program).empty()) return false;
  WARN("skipped: there is no " << program << " (Debian's package " << package << ")");
  return true;
}

// The collector with a reading behind it, so that each collect() has the interval since the last one.
class Watching {
 public:
  Watching() : instance_(host_.create(pga_plugin_v1(PGA_ABI_MINOR))) {
    REQUIRE(instance_.configure("{}"));
    collect();
  }
  rapidjson::Document collect() { return only_document(instance_.collect()); }

 private:
  testing::FakeHost host_;
  testing::Instance instance_;
};

// Of a line "  8389004 K total memory": the number before `what`.
double number_before(const std::string& text, const std::string& what) {
  std::string_view rest = text;
  while (auto line = next_line(rest)) {
    const auto number = to_number<double>(next_word(*line));
    if (number && line->size() >= what.size() && line->substr(line->size() - what.size()) == what) return *number;
  }
  FAIL("no '" << what << "' in " << text);
  return 0;
}

// Writes and flushes a file until it is destroyed, so that there is something to measure.
class Writing {
 public:
  Writing() {
    writer_ = std::thread([this] {
      const std::string path = folder_ / "written";
      const std::string block(1 << 16, 'x');
      while (!done_) {
        std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
        std::fwrite(block.data(), 1, block.size(), file.get());
        std::fflush(file.get());
        fsync(fileno(file.get()));
      }
    });
  }
  ~Writing() {
    done_ = true;
    writer_.join();
  }

 private:
  testing::TemporaryFolder folder_{"/var/tmp"};
  std::atomic<bool> done_{false};
  std::thread writer_;
};

// A process that is called as PostgreSQL's are.
class Namesake {
 public:
  Namesake() {
    const std::string program = folder_ / "postgres";
    std::filesystem::copy("/bin/sleep", program);
    pid_ = fork();
    if (pid_ == 0) {
      execl(program.c_str(), program.c_str(), "600", static_cast<char*>(nullptr));
      _exit(127);
    }
  }
  ~Namesake() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  testing::TemporaryFolder folder_;
  pid_t pid_ = 0;
};

const rapidjson::Value* group_of(const rapidjson::Document& document, pid_t postmaster) {
  for (const auto& group : document["processes"].GetArray()) {
    if (group["postmaster_pid"].GetInt() == postmaster) return &group;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("counters since boot are those of vmstat") {
  if (is_missing("vmstat", "procps")) return;
  Watching sysstat;
  const std::string vmstat = output_of("vmstat -s");
  const auto document = sysstat.collect();
  const auto near = [&](const rapidjson::Value& ours, const std::string& theirs, double scale = 1) {
    INFO(theirs);
    const double expected = number_before(vmstat, theirs) * scale;
    CHECK(ours.GetDouble() == Approx(expected).epsilon(0.01).margin(5000 * scale));
  };
  near(document["activity"]["interrupts"], "interrupts");
  near(document["activity"]["context_switches"], "CPU context switches");
  near(document["activity"]["forks"], "forks");
  near(document["paging"]["paged_in_bytes"], "paged in", 1024);
  near(document["paging"]["paged_out_bytes"], "paged out", 1024);
  near(document["paging"]["swapped_in_pages"], "pages swapped in");
  near(document["paging"]["swapped_out_pages"], "pages swapped out");
}

TEST_CASE("shares of the processors are those of vmstat over the same second") {
  if (is_missing("vmstat", "procps")) return;
  Watching sysstat;
  sysstat.collect();
  const std::string vmstat = output_of("vmstat -n 2 2 | tail -1");
  const auto document = sysstat.collect();
  const auto& cpu = document["cpu"];
  std::string_view line = vmstat;
  std::array<double, 17> column{};  // ... us sy id wa st
  for (double& number : column) number = to_number<double>(next_word(line)).value_or(-1);
  INFO(vmstat);
  constexpr double kTolerance = 0.12;  // vmstat begins a little later and shows whole percents
  CHECK(cpu["user"].GetDouble() + cpu["nice"].GetDouble() == Approx(column[12] / 100).margin(kTolerance));
  CHECK(cpu["system"].GetDouble() + cpu["irq"].GetDouble() + cpu["softirq"].GetDouble() ==
        Approx(column[13] / 100).margin(kTolerance));
  CHECK(cpu["idle"].GetDouble() == Approx(column[14] / 100).margin(kTolerance));
}

TEST_CASE("memory is that of free") {
  if (is_missing("free", "procps")) return;
  Watching sysstat;
  const std::string free = output_of("free -b");
  const auto document = sysstat.collect();
  std::string_view rest = free;
  next_line(rest);  // headings: total used free shared buff/cache available
  std::string_view line = next_line(rest).value_or("");
  next_word(line);
  std::array<double, 6> column{};
  for (double& number : column) number = to_number<double>(next_word(line)).value_or(-1);
  INFO(free);
  constexpr double kMargin = 256 << 20;  // others work on this machine meanwhile
  const auto& memory = document["memory"];
  CHECK(memory["total"].GetDouble() == column[0]);
  CHECK(memory["free"].GetDouble() == Approx(column[2]).margin(kMargin));
  CHECK(memory["shared"].GetDouble() == Approx(column[3]).margin(kMargin));
  CHECK(memory["available"].GetDouble() == Approx(column[5]).margin(kMargin));
}

TEST_CASE("block devices are those of iostat over the same seconds") {
  if (is_missing("iostat", "sysstat")) return;
  const Writing load;
  Watching sysstat;
  sysstat.collect();
  rapidjson::Document iostat;
  iostat.Parse(output_of("iostat -d -x -k -y -o JSON 2 1"));
  const auto document = sysstat.collect();
  REQUIRE_FALSE(iostat.HasParseError());
  const auto& report = iostat["sysstat"]["hosts"][0]["statistics"][0]["disk"];
  std::size_t compared = 0;
  for (const auto& device : document["devices"].GetArray()) {
    for (const auto& theirs : report.GetArray()) {
      if (std::string(theirs["disk_device"].GetString()) != device["name"].GetString()) continue;
      INFO(device["name"].GetString());
      ++compared;
      const auto near = [&](const char* ours, const char* name, double scale, double margin) {
        INFO(ours << " " << name);
        CHECK(device[ours].GetDouble() == Approx(theirs[name].GetDouble() * scale).epsilon(0.25).margin(margin));
      };
      near("reads_per_second", "r/s", 1, 20);
      near("writes_per_second", "w/s", 1, 20);
      near("write_bytes_per_second", "wkB/s", 1024, 1 << 20);
      near("queue_length", "aqu-sz", 1, 0.5);
      near("utilization", "util", 0.01, 0.1);
      if (device["write_await_ms"].IsNumber()) near("write_await_ms", "w_await", 1, 1);
    }
  }
  CHECK(compared == document["devices"].Size());
}

TEST_CASE("a process of PostgreSQL has the memory that ps says, and what only its owner may read") {
  if (is_missing("ps", "procps")) return;
  const Namesake postgres;
  Watching sysstat;
  rapidjson::Document document;
  // The kernel counts pages by processor, and /proc/PID/stat adds up what each has handed in: up to 32 pages of each kind are
  // still with each of them (proc(5): "inaccurate"). ps reads the exact sum of newer kernels.
  const double not_handed_in = 3.0 * 32 * 4096 * static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  REQUIRE(testing::eventually([&] {  // it grows while it starts
    document = sysstat.collect();
    const auto* const group = group_of(document, postgres.pid());
    const auto rss_kib = std::stod(output_of("ps -o rss= -p " + std::to_string(postgres.pid())));
    return group != nullptr && (*group)["rss_bytes"].GetDouble() == Approx(rss_kib * 1024).margin(not_handed_in);
  }));
  const auto& group = *group_of(document, postgres.pid());
  CHECK(std::string(group["backend_type"].GetString()) == "postmaster");
  CHECK(group["processes"].GetInt() == 1);
  if (group["pss_bytes"].IsNumber()) CHECK(group["pss_bytes"].GetDouble() <= group["rss_bytes"].GetDouble());
  CHECK(group["cpu_seconds"].GetDouble() < 1);
  CHECK(group["read_bytes"].IsUint64());
}
