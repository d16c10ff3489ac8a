// The texts of /proc one by one: right numbers in the right unit, nothing invented, broken lines told.
#include "plugins/sysstat/readings.h"

#include <string>

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

template <class Reading>
std::string json_of(const Reading& reading) {
  JsonWriter writer;
  to_json(writer, reading);
  return std::string(writer.text());
}

}  // namespace

TEST_CASE("meminfo is kibibytes in the file and bytes in the document; huge pages are counts") {
  Gaps gaps;
  const Memory memory = parse_memory(
      "MemTotal:       24684096 kB\nMemFree:        24193944 kB\nMemAvailable:   24299680 kB\nHugePages_Total:      12\n"
      "Hugepagesize:       2048 kB\nActive(anon):       1568 kB\n",
      gaps);
  CHECK(memory.total == 24684096ull * 1024);
  CHECK(memory.free == 24193944ull * 1024);
  CHECK(memory.available == 24299680ull * 1024);
  CHECK(memory.huge_pages_total == 12u);
  CHECK(memory.huge_page_size == 2048u * 1024);
  CHECK_FALSE(memory.active);  // "Active(anon)" is another thing
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].part == "memory");
  CHECK(gaps[0].message.find("SwapTotal") != std::string::npos);
  CHECK(gaps[0].message.find("MemTotal") == std::string::npos);
  CHECK(json_of(memory).find("\"swap_total\":null") != std::string::npos);
}

TEST_CASE("numbers that are none, negative or too large stay null") {
  for (const std::string number : {"", "x", "-1", "1.5", "0x10", "99999999999999999999999", "9007199254740993000"}) {
    CAPTURE(number);
    Gaps gaps;
    CHECK_FALSE(parse_memory("MemTotal: " + number + " kB\n", gaps).total);
    CHECK(gaps.size() == 1);
  }
}

TEST_CASE("vmstat: paged bytes are kibibytes in the file, swapped pages are pages") {
  Gaps gaps;
  const Paging paging =
      parse_paging("pgpgin 2172605\npgpgout 1104628\npswpin 3\npswpout 4\npgfault 4210508\npgmajfault 1639\noom_kill 1\n", gaps);
  CHECK(paging.paged_in_bytes == 2172605ull * 1024);
  CHECK(paging.paged_out_bytes == 1104628ull * 1024);
  CHECK(paging.swapped_in_pages == 3u);
  CHECK(paging.swapped_out_pages == 4u);
  CHECK(paging.major_faults == 1639u);
  CHECK(paging.oom_kills == 1u);
  CHECK(gaps.empty());
}

TEST_CASE("stat: the interrupts' sum is the first number of its line") {
  Gaps gaps;
  const Activity activity = parse_activity(
      "intr 324740 1 2 3\nctxt 669161\nbtime 1795436839\nprocesses 18040\nprocs_running 2\nprocs_blocked 0\n", gaps);
  CHECK(json_of(activity) ==
        R"({"processes_running":2,"processes_blocked":0,"forks":18040,"context_switches":669161,"interrupts":324740})");
  CHECK(gaps.empty());
}

TEST_CASE("loadavg and uptime") {
  Gaps gaps;
  CHECK(json_of(parse_load("0.15 0.10 12.03 1/95 18040\n", gaps)) ==
        R"({"one_minute":0.15,"five_minutes":0.1,"fifteen_minutes":12.03})");
  CHECK(parse_uptime_seconds("1487.43 2853.91\n", gaps) == 1487.43);
  CHECK(gaps.empty());
  CHECK(json_of(parse_load("0.15 nan inf", gaps)) == R"({"one_minute":0.15,"five_minutes":null,"fifteen_minutes":null})");
  CHECK_FALSE(parse_uptime_seconds("", gaps));
  CHECK(gaps.size() == 2);
}
