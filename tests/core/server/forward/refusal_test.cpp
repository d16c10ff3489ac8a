// What a receiver does not take: which pushes are given up, and which never.
#include "core/server/forward/delivery.h"

#include "tests/core/server/forward/forwarding_fixture.h"
#include "tests/support/catch.h"

#include <algorithm>

using namespace pganalytics;
using namespace pganalytics::testing;
using Queues = std::vector<std::string>;

namespace {

bool has(const std::string& body, const char* word) { return body.find(word) != std::string::npos; }

server::forward::DeliveryTimes impatient() {
  server::forward::DeliveryTimes times;
  times.retry_first_ms = times.retry_max_ms = 1;
  return times;
}

// Those that were refused are due.
void let_a_minute_pass(ForwardingFixture& site) {
  site.change("update pganalytics.forwards_held set refused_at = refused_at - interval '1 minute'");
}

}  // namespace

TEST_CASE("a push that is refused twice is given up, the others of its batch are not") {
  ForwardingFixture site;
  site.status = [](const std::string& body) { return has(body, "bad") ? 400 : 200; };
  site.push("db1", {"a"});
  site.push("db1", {"bad", "b"});
  site.push("db2", {"c"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "c"});
  CHECK(site.counters.poison == 0);
  site.restart();
  let_a_minute_pass(site);
  site.turn_until_idle();
  CHECK(site.counters.poison == 2);
  site.push("db2", {"d"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "c", "d"});
  CHECK(site.store().value("select count(*) from pganalytics.forwards_held") == "0");
}

TEST_CASE("a push that is refused once and taken then is not given up") {
  ForwardingFixture site;
  int status = 422;
  site.status = [&](const std::string& body) { return has(body, "bad") ? status : 200; };
  site.push("db1", {"bad"});
  site.push("db1", {"a"});
  site.turn_until_idle();
  status = 200;
  let_a_minute_pass(site);
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "bad"});
  CHECK(site.counters.poison == 0);
}

TEST_CASE("a receiver that refuses everything is at fault: nothing is given up until it takes something") {
  ForwardingFixture site(impatient());
  int status = 400;
  site.status = [&](const std::string&) { return status; };
  for (const char* queue : {"a", "b", "c", "d"}) site.push("db1", {queue});
  for (int turns = 0; turns < 10; ++turns) site.turn();
  for (int minutes = 0; minutes < 3; ++minutes) {
    let_a_minute_pass(site);
    for (int turns = 0; turns < 10; ++turns) site.turn();
  }
  CHECK(site.counters.poison == 0);
  CHECK(site.taken().empty());
  status = 200;
  site.push("db1", {"e"});
  let_a_minute_pass(site);
  site.turn_until_idle();
  Queues taken = site.taken();
  std::sort(taken.begin(), taken.end());
  CHECK(taken == Queues{"a", "b", "c", "d", "e"});
  CHECK(site.counters.poison == 0);
}

TEST_CASE("what is too large goes in parts; a document that still is does not keep its neighbours away") {
  ForwardingFixture site;
  const std::string large = "huge" + std::string(3'000, 'x');
  site.status = [](const std::string& body) { return body.size() > 2'000 ? 413 : 200; };
  site.push("db1", {"a", "b", "c", "d"});
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b", "c", "d"});
  site.push("db1", {large, "e"});
  site.turn_until_idle();
  let_a_minute_pass(site);
  site.turn_until_idle();
  CHECK(site.taken() == Queues{"a", "b", "c", "d", "e"});
  CHECK(site.counters.poison == 1);
}
