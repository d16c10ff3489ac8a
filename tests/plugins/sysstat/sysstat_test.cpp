// The collector as its host sees it: on this machine's /proc, and on a /proc of the test's own making.
#include <rapidjson/document.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <pganalytics/testhost.hpp>
#include <string>

#include "tests/plugins/alone.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::only_document;
namespace fs = std::filesystem;

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

// A /proc that the test writes.
class FakeProc {
 public:
  FakeProc() { write("stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"); }
  void write(const std::string& file, const std::string& text) const { std::ofstream(folder_ / file) << text; }
  void remove(const std::string& file) const { fs::remove(folder_ / file); }
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ / file; }
  [[nodiscard]] std::string config() const { return "{\"proc_path\":\"" + folder_.path() + "\"}"; }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("its schemas are of the dialect") {
  testing::output_schema();
  rapidjson::Document filled;
  filled.Parse(testing::with_defaults());
  CHECK(std::string(filled["proc_path"].GetString()) == "/proc");
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
  CHECK(cpu["user"].GetDouble() + cpu["system"].GetDouble() > 0.3 / cpu["count"].GetDouble());
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
  fs::create_directory(proc.path("pressure"));
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
  for (const char* wrong : {R"({"proc_path":"/nowhere"})", R"({"proc_path":7})", "[]", "nonsense", ""}) {
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
