// What becomes of the server's documents.
#include "tests/core/collector/configuration_host.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::collector_test;
using Catch::Contains;

namespace {

constexpr const char* kBackend = "[backend]\nurl = \"https://127.0.0.1:1\"\n";
constexpr const char* kCounter = "[plugins.test_counter]\ninterval = \"1s\"\n";
constexpr const char* kBroken =
    "[plugins.logs]\ninterval = \"1s\"\ndo = \"refuse the run\"\n[plugins.test_counter]\ninterval = \"1s\"\n";
constexpr const char* kGzip = R"({"version":2,"compression":"gzip"})";

std::string intervals(int version, const char* plugin, int seconds) {
  return R"({"version":)" + std::to_string(version) + R"(,"intervals":{")" + plugin + "\":" + std::to_string(seconds) + "}}";
}

const std::string kLocal = std::string(kBackend) + kCounter;

}  // namespace

TEST_CASE("a document that has proven itself holds from the next start, for the same identity") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    CHECK(host.interval_ms("test_counter") == 2'000);
    host.stop();
  }
  {
    const Host again(folder.path(), kLocal);
    CHECK(again.in_force() == 1);
    CHECK_FALSE(again.on_trial());
  }
  const Host other(folder.path(), kLocal, kBoth, "somebody else");
  CHECK(other.in_force() == 0);
}

TEST_CASE("the server's configuration comes back with [backend], which a reload took away") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.reload(kCounter);
    CHECK(host.in_force() == 0);
    host.reload(kLocal);
    CHECK(host.in_force() == 1);
    CHECK(host.interval_ms("test_counter") == 2'000);
    host.stop();
  }
  Host started_without(folder.path(), kCounter);
  CHECK(started_without.in_force() == 0);
  started_without.reload(kLocal);
  CHECK(started_without.in_force() == 1);
}

TEST_CASE("so does what was on trial, and nobody is to blame") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "test_counter", 2));
  REQUIRE(host.hears("1 probation"));
  for (int round = 0; round < 3; ++round) {
    host.reload(kCounter);
    CHECK_FALSE(host.on_trial());
    CHECK(host.in_force() == 0);
    host.reload(kLocal);
    CHECK(host.on_trial());
    CHECK(host.in_force() == 1);
  }
  host.server = Host::Server::kTakes;
  CHECK(host.hears("1 applied"));
}

TEST_CASE("a reload during a trial keeps the document, under the new file, and its trial begins anew") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "test_counter", 2));
  REQUIRE(host.hears("1 probation"));
  host.reload(kLocal + "[plugins.logs]\ninterval = \"1s\"\n");
  CHECK(host.on_trial());
  CHECK(host.in_force() == 1);
  CHECK(host.interval_ms("logs") == 1'000);
  CHECK(host.interval_ms("test_counter") == 2'000);
  host.server = Host::Server::kTakes;
  CHECK(host.hears("1 applied"));
}

TEST_CASE("a reload while plugins are asked about a document costs neither the file nor the document's verdict") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), std::string(kBackend) + "[plugins.logs]\ninterval = \"1s\"\ndo = \"hang in the dry run\"\n");
  REQUIRE(host.turns_until([&] { return host.runs("logs") > 0; }));
  host.give(R"({"version":1,"log_filters":["ERROR"]})");
  host.turn();
  CHECK(host.in_force() == 0);
  host.reload(std::string(kBackend) + "[plugins.logs]\ninterval = \"2s\"\ndo = \"nothing\"\n");
  CHECK(host.interval_ms("logs") == 2'000);
  CHECK(host.hears("1 rejected"));
  CHECK(host.interval_ms("logs") == 2'000);
}

TEST_CASE("the operator's file comes before a document in force that does not fit it any more") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.proves(1, intervals(1, "test_counter", 2));
  host.proves(2, intervals(2, "logs", 2));
  host.reload(kLocal, {"test_counter"});  // logs is not installed any more
  CHECK(host.in_force() == 1);
  CHECK(host.said == "2 reverted");
  CHECK_THAT(host.reason, Contains("does not fit") && Contains("no plugin 'logs'"));
  host.reload(std::string(kBackend) + "[plugins.logs]\n", {"logs"});
  CHECK(host.in_force() == 2);
  CHECK(host.said == "2 applied");
}

TEST_CASE("a start goes past a good document that does not fit, and says so") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.proves(2, intervals(2, "logs", 2));
    host.stop();
  }
  const Host host(folder.path(), kLocal, {"test_counter"});
  CHECK(host.in_force() == 1);
  CHECK(host.said == "2 reverted");
}

TEST_CASE("a document on trial that a reload makes impossible is taken back") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.server = Host::Server::kIsAway;
  host.give(intervals(1, "logs", 2));
  REQUIRE(host.hears("1 probation"));
  host.reload(kLocal, {"test_counter"});
  CHECK(host.in_force() == 0);
  CHECK_FALSE(host.on_trial());
  CHECK(host.said == "1 reverted");
}

TEST_CASE("a server that refuses what only the document on trial asks for is noticed") {
  const testing::TemporaryFolder folder;
  auto host = std::make_unique<Host>(folder.path(), kLocal);
  host->server = Host::Server::kIsAway;
  host->give(kGzip);
  REQUIRE(host->hears("2 probation"));
  SECTION("at once") {}
  SECTION("after a reload") { host->reload(kLocal + "[plugins.logs]\n"); }
  SECTION("after a restart") {
    host->stop();
    host = nullptr;
    host = std::make_unique<Host>(folder.path(), kLocal);
    REQUIRE(host->on_trial());
  }
  SECTION("when the next version keeps it") {
    host->give(R"({"version":3,"compression":"gzip","intervals":{"test_counter":2}})");
    REQUIRE(host->hears("3 probation"));
  }
  host->server = Host::Server::kRefuses;
  REQUIRE(host->turns_until([&] { return host->said.find("reverted") != std::string::npos; }));
  CHECK_THAT(host->reason, Contains("not packed like this"));
}

TEST_CASE("a plugin that did not work before is not held against a document") {
  const testing::TemporaryFolder folder;
  const std::string local = std::string(kBackend) + kBroken;
  auto host = std::make_unique<Host>(folder.path(), local);
  REQUIRE(host->turns_until([&] { return host->failed_runs("logs") > 0; }));
  host->server = Host::Server::kIsAway;
  host->give(R"({"version":1,"intervals":{"logs":2,"test_counter":2}})");
  REQUIRE(host->hears("1 probation"));
  SECTION("at once") {}
  SECTION("after a reload") { host->reload(local + "tables_max = 3\n"); }
  SECTION("after a restart") {
    host->stop();
    host = nullptr;
    host = std::make_unique<Host>(folder.path(), local);
  }
  host->server = Host::Server::kTakes;
  REQUIRE(host->turns_until([&] { return host->said != "1 probation" && !host->said.empty(); }));
  CHECK(host->said == "1 applied");
  CHECK(host->reason.empty());
}

TEST_CASE("no trial begins before the disk has a note of it") {
  const testing::TemporaryFolder folder;
  Host host(folder.path(), kLocal);
  host.proves(1, intervals(1, "test_counter", 2));
  {
    const FullDisk full(folder.path());
    host.give(intervals(2, "test_counter", 3));
    REQUIRE(host.turns_until([&] { return host.spool_mode() == "memory"; }));
    host.give(intervals(3, "test_counter", 4));  // the newest of those that wait
    for (int turn = 0; turn < 50; ++turn) host.turn();
    CHECK(host.in_force() == 1);
    CHECK_FALSE(host.on_trial());
    CHECK(host.said == "1 applied");
  }
  CHECK(host.hears("3 applied"));
}

TEST_CASE("a trial goes on from the first moment of a start, on a slow disk too") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.server = Host::Server::kIsAway;
    host.give(intervals(2, "test_counter", 3));
    REQUIRE(host.hears("2 probation"));
    host.stop();
  }
  Host host(folder.path(), kLocal, kBoth, "us", 0);
  CHECK(host.in_force() == 2);
  CHECK(host.on_trial());
}

TEST_CASE("a collector that died under a document does not try it again while the disk cannot count the deaths") {
  const testing::TemporaryFolder folder;
  {
    Host host(folder.path(), kLocal);
    host.proves(1, intervals(1, "test_counter", 2));
    host.server = Host::Server::kIsAway;
    host.give(intervals(2, "test_counter", 3));
    REQUIRE(host.hears("2 probation"));
  }  // not stopped in order
  {
    const FullDisk full(folder.path());
    for (int start = 0; start < 2; ++start) {
      Host host(folder.path(), kLocal);
      for (int turn = 0; turn < 20; ++turn) host.turn();
      CHECK(host.in_force() == 1);
      CHECK_FALSE(host.on_trial());
    }
  }
  Host host(folder.path(), kLocal);
  CHECK(host.in_force() == 2);
  CHECK(host.hears("2 applied"));
}
