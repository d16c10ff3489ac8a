// What the machine is, from its recorded trees; and that it is told when it has changed, not more often.
#include "plugins/sysstat/facts.h"

#include <pganalytics/testhost.hpp>
#include <string>

#include "tests/plugins/alone.h"
#include "tests/plugins/sysstat/fake_proc.h"
#include "tests/plugins/sysstat/recorded_tree.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;
using testing::FakeProc;
using testing::only_document;
using testing::recorded_tree;

TEST_CASE("facts of a host") {
  JsonWriter writer;
  to_json(writer, read_facts(Tree(recorded_tree("database_host/proc")), Tree(recorded_tree("database_host/sys"))));
  CHECK(writer.text() ==
        R"({"kernel_release":"6.1.0-28-amd64","hardware":"Dell Inc. PowerEdge R650",)"
        R"("cpu_model":"Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz","cpus_online":3,"cpus_possible":4,"smt":false,"numa_nodes":2,)"
        R"("cpu_governor":"performance","clocksource":"tsc","memory_bytes":67423436800,"huge_page_bytes":2097152,)"
        R"("transparent_hugepages":"madvise","transparent_hugepage_defrag":"madvise","swappiness":10,"overcommit_memory":2,)"
        R"("overcommit_ratio":50})");
}

TEST_CASE("what a kernel does not say is null") {
  const Facts facts = read_facts(Tree(recorded_tree("container/proc")), Tree(recorded_tree("container/sys")));
  CHECK(facts.kernel_release.empty());
  CHECK(facts.hardware.empty());
  CHECK_FALSE(facts.numa_nodes);
  CHECK_FALSE(facts.smt);
  CHECK(facts.memory_bytes == 8000000ull * 1024);
}

TEST_CASE("lists of numbers, and the chosen one of several") {
  CHECK(count_of_list("0-3,8\n") == 5u);
  CHECK(count_of_list("0") == 1u);
  for (const char* none : {"", "\n", "a", "3-1", "0-", "-1", "0-99999999999", "1,,2"}) {
    CAPTURE(none);
    CHECK_FALSE(count_of_list(none));
  }
  CHECK(chosen_of("always [madvise] never") == "madvise");
  CHECK(chosen_of("always madvise never").empty());
  CHECK(chosen_of("]always[").empty());
}

TEST_CASE("facts are told first, then when they have changed, and again if they were not delivered") {
  const FakeProc proc;
  proc.take(recorded_tree("database_host/proc"));
  const std::string config = proc.config(recorded_tree("database_host/sys"));
  testing::FakeHost host;
  const auto facts_in = [&](testing::Instance& instance, bool commit = true) {
    testing::CollectOptions options;
    options.commit = commit;
    const auto document = only_document(instance.collect(options));
    return document.HasMember("facts") ? document["facts"].Size() : 0;
  };
  {
    auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
    REQUIRE(instance.configure(config));
    CHECK(facts_in(instance, false) == 1);  // the host dies after this run
  }
  {
    auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
    REQUIRE(instance.configure(config));
    CHECK(facts_in(instance) == 1);
    CHECK(facts_in(instance) == 0);
  }
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));  // the collector has started again
  REQUIRE(instance.configure(config));
  CHECK(facts_in(instance) == 0);

  proc.write("sys/vm/swappiness", "60\n");
  REQUIRE(instance.configure(config));  // makes it look now, not within a minute
  const auto changed = only_document(instance.collect());
  REQUIRE(changed.HasMember("facts"));
  CHECK(changed["facts"][0]["swappiness"].GetInt() == 60);
  CHECK(facts_in(instance) == 0);
}
