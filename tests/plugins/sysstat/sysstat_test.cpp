// The collector as its host sees it: on this machine's /proc, and on a /proc of the test's own making.
#include <rapidjson/document.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <pganalytics/testhost.hpp>
#include <string>

#include "tests/plugins/alone.h"
#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::FakeProc;
using testing::only_document;

namespace {

constexpr const char* kShares[] = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"};

double sum_of_shares(const rapidjson::Value& cpu) {
  double sum = 0;
  for (const char* kind : kShares) {
    CAPTURE(kind);
    REQUIRE(cpu[kind].IsNumber());
    CHECK(cpu[kind].GetDouble() >= 0);
    sum += cpu[kind].GetDouble();
  }
  return sum;
}

std::uint64_t meminfo_bytes(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (file >> word) {
    if (word == name + ":" && file >> kib) return kib * 1024;
  }
  FAIL("no " << name << " in /proc/meminfo");
  return 0;
}

}  // namespace

TEST_CASE("its schemas are of the dialect") {
  testing::output_schema();
  rapidjson::Document filled;
  filled.Parse(testing::with_defaults());
  CHECK(std::string(filled["proc_path"].GetString()) == "/proc");
  CHECK(std::string(filled["sys_path"].GetString()) == "/sys");
}

TEST_CASE("the first run of a process already has CPU shares") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  const auto document = only_document(instance.collect());
  CHECK(document["errors"].Size() == 0);
  const auto& cpu = document["cpu"];
  CHECK(sum_of_shares(cpu) == Approx(1.0).margin(1e-4));
  CHECK(cpu["interval_seconds"].GetDouble() >= 0.25);
  CHECK(cpu["count"].GetInt() == sysconf(_SC_NPROCESSORS_ONLN));
}

TEST_CASE("a busy processor shows as user time") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  REQUIRE(instance.collect().status == PGA_OK);
  volatile unsigned spin = 0;
  for (const auto end = std::chrono::steady_clock::now() + 600ms; std::chrono::steady_clock::now() < end;) spin = spin + 1;
  const auto document = only_document(instance.collect());
  const auto& cpu = document["cpu"];
  CHECK(sum_of_shares(cpu) == Approx(1.0).margin(1e-4));
  CHECK(cpu["interval_seconds"].GetDouble() >= 0.6);
  CHECK(cpu["user"].GetDouble() + cpu["nice"].GetDouble() + cpu["system"].GetDouble() > 0.3 / cpu["count"].GetDouble());
}

TEST_CASE("memory, uptime and load agree with what the kernel says beside it") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  const auto document = only_document(instance.collect());
  const auto& memory = document["memory"];
  CHECK(memory["total"].GetUint64() == meminfo_bytes("MemTotal"));
  CHECK(memory["swap_total"].GetUint64() == meminfo_bytes("SwapTotal"));
  constexpr double kSlack = 512 << 20;  // others work on this machine meanwhile
  CHECK(memory["available"].GetDouble() == Approx(static_cast<double>(meminfo_bytes("MemAvailable"))).margin(kSlack));
  CHECK(memory["free"].GetDouble() == Approx(static_cast<double>(meminfo_bytes("MemFree"))).margin(kSlack));

  double uptime = 0;
  std::ifstream("/proc/uptime") >> uptime;
  CHECK(document["uptime_seconds"].GetDouble() == Approx(uptime).margin(10));
  CHECK(document["load"]["one_minute"].GetDouble() >= 0);
  CHECK(document["activity"]["context_switches"].GetUint64() > 0);
}

TEST_CASE("shares are of the interval since the run before") {
  const FakeProc proc;
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  const auto first = only_document(instance.collect());
  CHECK(first["cpu"]["user"].IsNull());  // this /proc stands still
  CHECK(first["errors"].Size() > 0);

  proc.write("stat", "cpu 30 0 10 60 0 0 0 0 0 0\ncpu0 30 0 10 60 0 0 0 0 0 0\n");
  const auto second = only_document(instance.collect());
  CHECK(second["cpu"]["user"].GetDouble() == Approx(0.3));
  CHECK(second["cpu"]["system"].GetDouble() == Approx(0.1));
  CHECK(second["cpu"]["idle"].GetDouble() == Approx(0.6));
}

TEST_CASE("a file that cannot be read leaves nulls and a reason; the others arrive") {
  const FakeProc proc;
  proc.write("loadavg", "1.50 0.10 0.03 1/95 18040\n");
  proc.write("meminfo", "MemTotal: 1000 kB\ngarbage\n\n:::\n");
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  const auto document = only_document(instance.collect());
  CHECK(document["load"]["one_minute"].GetDouble() == 1.5);
  CHECK(document["memory"]["total"].GetInt() == 1024000);
  CHECK(document["memory"]["free"].IsNull());
  CHECK(document["paging"]["faults"].IsNull());
  CHECK(document["uptime_seconds"].IsNull());
  CHECK_FALSE(document.HasMember("pressure"));
  std::string parts;
  for (const auto& error : document["errors"].GetArray()) parts += std::string(error["part"].GetString()) + " ";
  for (const char* part : {"cpu", "memory", "paging", "activity", "uptime_seconds"}) {
    CAPTURE(parts, part);
    CHECK(parts.find(part) != std::string::npos);
  }
  CHECK(parts.find("load") == std::string::npos);
}

TEST_CASE("pressure is there if the kernel measures it") {
  const FakeProc proc;
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  proc.write("pressure/cpu", "some avg10=0.00 avg60=1.21 avg300=1.02 total=11\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  proc.write("pressure/memory",
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=22\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=33\n");
  proc.write("pressure/io", "some avg10=0.00 avg60=0.06 avg300=0.07 total=44\nfull avg10=0.00 avg60=0.04 avg300=0.06 total=55\n");
  const auto document = only_document(instance.collect());
  const auto& pressure = document["pressure"];
  CHECK(pressure["cpu_some_us"].GetInt() == 11);
  CHECK(pressure["memory_some_us"].GetInt() == 22);
  CHECK(pressure["memory_full_us"].GetInt() == 33);
  CHECK(pressure["io_some_us"].GetInt() == 44);
  CHECK(pressure["io_full_us"].GetInt() == 55);
  CHECK(pressure["cpu_some_avg60"].GetDouble() == Approx(0.0121));
  CHECK(pressure["irq_full_us"].IsNull());
}

TEST_CASE("when nothing can be read the run fails and says what was tried") {
  const FakeProc proc;
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  proc.remove("stat");
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_FAIL);
  CHECK(result.error_code == "proc.unreadable");
  CHECK(result.error_message.find("/stat") != std::string::npos);
  CHECK(result.documents.empty());
}

TEST_CASE("a configuration that is wrong is refused and the one before stays") {
  const FakeProc proc;
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  for (const char* wrong : {R"({"proc_path":"/nowhere"})", R"({"proc_path":7})", R"({"sys_path":7})", "[]", "nonsense", ""}) {
    CAPTURE(wrong);
    const auto outcome = instance.configure(wrong);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().status == PGA_E_CONFIG);
  }
  REQUIRE(instance.configure("{}", true));  // a dry run changes nothing
  proc.write("loadavg", "77.00 0 0\n");
  CHECK(only_document(instance.collect())["load"]["one_minute"].GetDouble() == 77.0);
}

TEST_CASE("cancel ends the wait of the first run at once") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  instance.cancel();
  const auto begin = std::chrono::steady_clock::now();
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(std::chrono::steady_clock::now() - begin < 200ms);
}

TEST_CASE("a deadline too near for two readings costs the CPU shares, not the run") {
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("{}"));
  testing::CollectOptions options;
  options.timeout = 150ms;
  const auto document = only_document(instance.collect(options));
  CHECK(document["cpu"]["user"].IsNull());
  CHECK(document["memory"]["total"].IsUint64());
  REQUIRE(document["errors"].Size() == 1);
  CHECK(std::string(document["errors"][0]["code"].GetString()) == "cpu.interval");
}

TEST_CASE("processors have shares of their own; one that comes or goes makes no nonsense") {
  const FakeProc proc;
  proc.write("stat", "cpu 20 0 0 80 0 0 0 0 0 0\ncpu0 10 0 0 40 0 0 0 0 0 0\ncpu1 10 0 0 40 0 0 0 0 0 0\n");
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  REQUIRE(instance.collect().status == PGA_OK);

  proc.write("stat", "cpu 120 0 0 180 0 0 0 0 0 0\ncpu0 10 0 0 140 0 0 0 0 0 0\ncpu1 110 0 0 40 0 0 0 0 0 0\n");
  const auto both = only_document(instance.collect());
  REQUIRE(both["cpus"].Size() == 2);
  CHECK(std::string(both["cpus"][1]["cpu"].GetString()) == "1");
  CHECK(both["cpus"][0]["idle"].GetDouble() == 1.0);
  CHECK(both["cpus"][1]["user"].GetDouble() == 1.0);
  CHECK(both["cpu"]["user"].GetDouble() == 0.5);

  // Processor 1 goes offline: the kernel's sum of idle time falls by what it takes with it.
  proc.write("stat", "cpu 120 0 0 150 0 0 0 0 0 0\ncpu0 10 0 0 240 0 0 0 0 0 0\n");
  const auto one = only_document(instance.collect());
  CHECK(one["cpus"].Size() == 1);
  CHECK(one["cpu"]["count"].GetInt() == 1);
  CHECK(one["cpu"]["idle"].GetDouble() == 1.0);
  CHECK(one["cpu"]["user"].GetDouble() == 0.0);

  // It comes back, and another with it, with all the time they ever counted: no interval of theirs yet.
  proc.write(
      "stat",
      "cpu 999 0 0 999 0 0 0 0 0 0\ncpu0 30 0 0 320 0 0 0 0 0 0\ncpu1 500 0 0 90 0 0 0 0 0 0\ncpu7 400 0 0 0 0 0 0 0 0 0\n");
  const auto three = only_document(instance.collect());
  CHECK(three["cpu"]["count"].GetInt() == 3);
  REQUIRE(three["cpus"].Size() == 1);
  CHECK(three["cpu"]["user"].GetDouble() == 0.2);
}

TEST_CASE("a host from its recorded /proc") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  const auto first = only_document(instance.collect());
  CHECK(first["cpu"]["count"].GetInt() == 3);  // processor 2 is offline
  CHECK(first["memory"]["dirty"].GetInt64() == 183220 * 1024);
  CHECK(first["memory"]["huge_pages_total"].GetInt() == 4400);
  CHECK(first["paging"]["swapped_out_pages"].GetInt() == 65536);
  CHECK(first["paging"]["oom_kills"].GetInt() == 2);
  CHECK(first["activity"]["forks"].GetInt() == 417702);
  CHECK(first["pressure"]["io_full_us"].GetInt() == 700122331);
  CHECK(first["interfaces"].Size() == 2);
  CHECK(first["tcp"]["listen_overflows"].GetInt() == 41);
  REQUIRE(first["devices"].Size() == 2);
  CHECK(first["devices"][0]["reads"].GetInt() == 4102233);
  CHECK(first["devices"][0]["reads_per_second"].GetDouble() == 0.0);  // the recording stands still
  CHECK(first["devices"][0]["write_await_ms"].IsNull());

  proc.write("diskstats",
             "259 0 nvme0n1 4102333 0 364598284 2051316 9120442 0 1768204466 18240884 0 7120033 20292000\n"
             "8 0 sdz 5 0 5 5 5 0 5 5 0 5 5\n");
  const auto second = only_document(instance.collect());
  REQUIRE(second["devices"].Size() == 2);
  CHECK(second["devices"][0]["reads_per_second"].GetDouble() ==
        Approx(100 / second["cpu"]["interval_seconds"].GetDouble()).epsilon(0.01));
  CHECK(second["devices"][0]["read_await_ms"].GetDouble() == 2.0);
  CHECK(second["devices"][1]["reads"].GetInt() == 5);
  CHECK(second["devices"][1]["reads_per_second"].IsNull());  // plugged in since
}

// In suspend the kernel counts neither ticks nor I/O and CLOCK_MONOTONIC stands still; uptime goes on (it is CLOCK_BOOTTIME), and
// the wall clock is put forward when the machine wakes up.
TEST_CASE("eight hours of suspend, and a wall clock that is put back, are no part of an interval") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  proc.write("stat", "cpu 20 0 0 80 0 0 0 0 0 0\ncpu0 20 0 0 80 0 0 0 0 0 0\nbtime 1795436839\n");
  proc.write("diskstats", "8 0 sda 1000 0 8000 500 0 0 0 0 0 400 500\n");
  proc.write("uptime", "5000.00 4000.00\n");
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  constexpr std::int64_t kSecond = 1'000'000'000;
  testing::CollectOptions options;
  options.scheduled_unix_ns = 1'795'440'000 * kSecond;
  REQUIRE(instance.collect(options).status == PGA_OK);

  const auto run_at = [&](std::int64_t unix_s, const std::string& stat, const std::string& sda, const std::string& uptime) {
    proc.write("stat", stat);
    proc.write("diskstats", "8 0 sda " + sda + "\n");
    proc.write("uptime", uptime);
    options.scheduled_unix_ns = unix_s * kSecond;
    const auto begin = std::chrono::steady_clock::now();
    auto document = only_document(instance.collect(options));
    const std::chrono::duration<double> real = std::chrono::steady_clock::now() - begin;
    CHECK(document["cpu"]["interval_seconds"].GetDouble() < 60);
    CHECK(document["cpu"]["interval_seconds"].GetDouble() >= 0.25);
    CHECK(real.count() < 60);
    return document;
  };
  const auto woken = run_at(1'795'468'800, "cpu 50 0 0 150 0 0 0 0 0 0\ncpu0 50 0 0 150 0 0 0 0 0 0\nbtime 1795436839\n",
                            "1100 0 8800 700 0 0 0 0 0 500 700", "33800.00 4000.70\n");
  CHECK(woken["uptime_seconds"].GetDouble() == 33800.0);
  CHECK(woken["cpu"]["user"].GetDouble() == Approx(0.3));
  CHECK(woken["cpu"]["idle"].GetDouble() == Approx(0.7));
  CHECK(woken["devices"][0]["reads_per_second"].GetDouble() ==
        Approx(100 / woken["cpu"]["interval_seconds"].GetDouble()).epsilon(0.01));
  CHECK(woken["devices"][0]["read_await_ms"].GetDouble() == 2.0);

  // Put back by a day: the kernel tells another time of boot, and every counter goes on.
  const auto stepped = run_at(1'795'382'400, "cpu 60 0 0 240 0 0 0 0 0 0\ncpu0 60 0 0 240 0 0 0 0 0 0\nbtime 1795350439\n",
                              "1150 0 9200 900 0 0 0 0 0 550 900", "33801.00 4001.60\n");
  CHECK(stepped["cpu"]["user"].GetDouble() == Approx(0.1));
  CHECK(stepped["cpu"]["idle"].GetDouble() == Approx(0.9));
  CHECK(stepped["devices"][0]["reads_per_second"].GetDouble() ==
        Approx(50 / stepped["cpu"]["interval_seconds"].GetDouble()).epsilon(0.01));
}

TEST_CASE("a container that watches its host tells the host's network, that of process 1") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  proc.write("1/net/dev", "bond0: 77 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n");
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  const auto document = only_document(instance.collect());
  REQUIRE(document["interfaces"].Size() == 1);
  CHECK(std::string(document["interfaces"][0]["name"].GetString()) == "bond0");
  CHECK(document["tcp"]["connections"].GetInt() == 84);  // process 1 says nothing: who reads does
}

TEST_CASE("PostgreSQL's processes, and the control groups of its servers and of the collector") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config(testing::recorded_tree("database_host/sys"))));
  const auto document = only_document(instance.collect());
  CHECK(document["processes"].Size() == 9);
  CHECK(std::string(document["processes"][0]["data_directory"].GetString()) == "/var/lib/postgresql/15/main");
  CHECK(document["processes"][0]["port"].IsNull());
  REQUIRE(document["cgroups"].Size() == 2);  // /user.slice of the second server has no figures
  CHECK(std::string(document["cgroups"][0]["path"].GetString()) == "/system.slice/pganalytics.service");
  CHECK(std::string(document["cgroups"][0]["of"].GetString()) == "collector");
  CHECK(document["cgroups"][0]["memory_max_bytes"].IsNull());
  CHECK(std::string(document["cgroups"][1]["of"].GetString()) == "postgresql");
  CHECK(document["cgroups"][1]["cpu_max"].GetDouble() == 2.5);
}

TEST_CASE("in a container the collector's group is PostgreSQL's and told once") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("container/proc"));
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config(testing::recorded_tree("container/sys"))));
  const auto document = only_document(instance.collect());
  REQUIRE(document["cgroups"].Size() == 1);
  CHECK(std::string(document["cgroups"][0]["of"].GetString()) == "postgresql");
  CHECK(document["cgroups"][0]["memory_bytes"].GetInt() == 104857600);
  CHECK_FALSE(document.HasMember("pressure"));
}

TEST_CASE("a host without cgroup v2 says nothing of groups") {
  const FakeProc proc;
  proc.take(testing::recorded_tree("database_host/proc"));
  testing::FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(proc.config()));
  CHECK_FALSE(only_document(instance.collect()).HasMember("cgroups"));
}
