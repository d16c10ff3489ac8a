// Pressure: both lines with their averages, whatever of it a kernel has.
#include "plugins/sysstat/pressure.h"

#include <string>

#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

std::string json_of(const HostPressure& pressure) {
  JsonWriter writer;
  to_json(writer, pressure);
  return std::string(writer.text());
}

}  // namespace

TEST_CASE("pressure: the totals of its two lines, and averages as shares") {
  const Pressure pressure = parse_pressure(
      "some avg10=100.00 avg60=1.21 avg300=1.02 total=12101466\nfull avg10=0.00 avg60=50.00 avg300=0.01 total=7\n");
  CHECK(pressure.some.total_us == 12101466u);
  CHECK(pressure.some.avg10 == 1.0);
  CHECK(*pressure.some.avg60 == Approx(0.0121));
  CHECK(*pressure.some.avg300 == Approx(0.0102));
  CHECK(pressure.full.total_us == 7u);
  CHECK(pressure.full.avg10 == 0.0);
  CHECK(pressure.full.avg60 == 0.5);
  CHECK(*pressure.full.avg300 == Approx(0.0001));
}

TEST_CASE("what a line lacks, or says wrong, stays null") {
  const Pressure odd = parse_pressure("some avg10=0.00\nfull total=\nother total=5\n");
  CHECK_FALSE(odd.some.total_us);
  CHECK(odd.some.avg10 == 0.0);
  CHECK_FALSE(odd.full.total_us);
  for (const char* wrong : {"some avg10=-1", "some avg10=100.01", "some avg10=nan", "some avg10=", "some avg10", "some avg=1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_pressure(wrong).some.avg10);
  }
}

TEST_CASE("a kernel before 5.13 has no full of the processors, one before 6.1 nothing of interrupts") {
  const testing::FakeProc proc;
  const std::string some = "some avg10=10.00 avg60=20.00 avg300=30.00 total=11\n";
  const std::string full = "full avg10=1.00 avg60=2.00 avg300=3.00 total=22\n";
  proc.write("pressure/cpu", some);
  proc.write("pressure/memory", some + full);
  CHECK_FALSE(read_pressure(Tree(proc.path(""))));  // no io: not pressure as we know it
  proc.write("pressure/io", some + full);
  auto pressure = read_pressure(Tree(proc.path("")));
  REQUIRE(pressure);
  CHECK(json_of(*pressure).find(
            R"("cpu_some_us":11,"cpu_some_avg10":0.1,"cpu_some_avg60":0.2,"cpu_some_avg300":0.3,"cpu_full_us":null)") !=
        std::string::npos);
  CHECK(json_of(*pressure).find(R"("irq_full_us":null,"irq_full_avg10":null)") != std::string::npos);

  proc.write("pressure/cpu", some + full);
  proc.write("pressure/irq", full);
  pressure = read_pressure(Tree(proc.path("")));
  REQUIRE(pressure);
  CHECK(pressure->cpu.full.total_us == 22u);
  CHECK(pressure->irq.full.total_us == 22u);
  CHECK(*pressure->irq.full.avg300 == Approx(0.03));
}

TEST_CASE("a recorded host has pressure, a container without PSI has none") {
  const auto host = read_pressure(Tree(testing::recorded_tree("database_host/proc")));
  REQUIRE(host);
  CHECK(host->io.full.total_us == 700122331u);
  CHECK_FALSE(read_pressure(Tree(testing::recorded_tree("container/proc"))));
}
