// Pushes arrive in order and none is passed over, whatever happens between.
#include "core/server/forward/delivery.h"

#include "tests/core/server/forward/forwarding_fixture.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using Queues = std::vector<std::string>;

TEST_CASE("what is pushed is sent once, in order, of every collector") {
  ForwardingFixture site;
  site.push("db1", {"a", "b"});
  site.push("db2", {"c"});
  site.push("db1", {"d"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b", "c", "d"});
  const std::size_t requests = site.requests();
  site.push("db2", {"e"});
  site.turn_until_idle();
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b", "c", "d", "e"});
  CHECK(site.requests() == requests + 1);
  CHECK(site.counters.batches == 2);
  CHECK(site.counters.documents == 5);
  CHECK(site.counters.failures == 0);
  CHECK(site.counters.oldest_unix_ns == 0);
}

TEST_CASE("a receiver that is away gets it later, also from the next server") {
  ForwardingFixture site;
  site.status = [](const std::string&) { return 503; };
  site.push("db1", {"a"});
  CHECK(site.turn() > 0);
  CHECK(site.counters.oldest_unix_ns > 0);
  site.push("db1", {"b"});
  CHECK(site.turn() > 0);
  CHECK(site.counters.failures == 2);
  CHECK(site.taken().empty());
  site.status = [](const std::string&) { return 200; };
  site.restart();
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b"});
}

TEST_CASE("what a receiver took before it failed is not sent again") {
  ForwardingFixture site;
  int status = 503;
  site.status = [&](const std::string& body) { return body.find("\"c\"") == std::string::npos ? 200 : status; };
  for (const char* queue : {"a", "b", "c", "d"}) site.push("db1", {queue});
  CHECK(site.turn() > 0);
  CHECK(site.taken() == Queues{"a", "b"});
  CHECK(site.counters.documents == 2);
  status = 200;
  site.restart();
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b", "c", "d"});
}

TEST_CASE("a collector's own documents are sent by the schema of this version") {
  ForwardingFixture site;
  site.push("db1", {"a"});
  site.change(
      "update pganalytics.documents set type = 'collector', document = "
      "'{\"type\":\"collector\",\"plugins\":[{\"plugin\":\"acme\",\"runs\":7}]}'");
  site.turn_until_idle();
  CHECK(site.requests() == 1);  // with numbers of it
  CHECK(site.counters.unreadable == 0);
}

TEST_CASE("a receiver that says who may not gets time") {
  ForwardingFixture site;
  int status = 401;
  site.status = [&](const std::string&) { return status; };
  site.push("db1", {"a"});
  CHECK(site.turn() >= 60'000);
  status = 403;
  CHECK(site.turn() >= 300'000);
  status = 404;
  CHECK(site.turn() >= 120'000);
  CHECK(site.counters.poison == 0);
  CHECK(site.taken().empty());
}

TEST_CASE("documents that were forgotten first are counted, and the others come") {
  ForwardingFixture site;
  site.push("db1", {"a", "b"});
  site.push("db2", {"c"});
  site.change(
      "delete from pganalytics.documents where collector_id = (select id from pganalytics.collectors where name = 'db1')");
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"c"});
  CHECK(site.counters.lost == 2);
}

TEST_CASE("a session that is lost costs nothing") {
  ForwardingFixture site;
  site.push("db1", {"a"});
  site.turn_until_idle();
  site.change("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2");
  site.turn();  // finds out
  CHECK_FALSE(site.counters.active);
  site.restart();
  site.push("db1", {"b"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b"});
}

TEST_CASE("documents that are not as their schema says are counted and hold nothing up") {
  ForwardingFixture site;
  site.push("db1", {R"(a","waiting":"many)", "b"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"b"});
  CHECK(site.counters.unreadable == 1);
}
