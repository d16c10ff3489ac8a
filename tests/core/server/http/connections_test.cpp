// How many connections, of whom, and how slowly they may speak.
#include "core/server/http/connections.h"

#include "core/server/http/answer_text.h"
#include "core/server/http/bodies.h"
#include "core/server/http/body_pace.h"
#include "core/server/http/client_address.h"
#include "tests/support/catch.h"

using namespace pganalytics::server::http;

namespace {

struct Recorder : Connections::Member {
  int drained = 0, aborted = 0;
  void drain() override { ++drained; }
  void abort() override { ++aborted; }
};

Limits limits_of(unsigned connections, unsigned strangers) {
  Limits limits;
  limits.connections = connections;
  limits.strangers_per_address = strangers;
  return limits;
}

}  // namespace

TEST_CASE("connections are limited in all, and strangers by their address") {
  Connections all(limits_of(4, 2));
  Refusal why{};
  auto first = all.admit("192.0.2.1", why), second = all.admit("192.0.2.1", why);
  REQUIRE((first && second));
  CHECK_FALSE(all.admit("192.0.2.1", why));
  CHECK(why == Refusal::kConnectionsOfAddress);
  CHECK(first->authenticated());
  CHECK(first->authenticated());  // twice is once
  auto third = all.admit("192.0.2.1", why);
  REQUIRE(third);
  CHECK_FALSE(all.admit("192.0.2.1", why));
  auto fourth = all.admit("192.0.2.2", why);
  REQUIRE(fourth);
  CHECK_FALSE(all.admit("192.0.2.3", why));
  CHECK(why == Refusal::kConnections);
  CHECK(all.count() == 4);
  second.reset();
  CHECK(all.admit("192.0.2.1", why));
  CHECK(all.count() == 3);
}

TEST_CASE("connections that a collector has authenticated are limited, whatever their address") {
  Limits limits = limits_of(10, 10);
  limits.connections_per_collector = 2;
  Connections all(limits);
  Refusal why{};
  const auto connect = [&](const std::string& address, const std::string& collector_id) {
    auto place = all.admit(address, why);
    REQUIRE(place);
    place->belongs_to(collector_id);
    return place;
  };
  auto first = connect("192.0.2.1", "x"), second = connect("192.0.2.2", "x"), third = connect("192.0.2.3", "x");
  auto other = connect("192.0.2.1", "y");
  CHECK((first->authenticated() && second->authenticated()));
  CHECK_FALSE(third->authenticated());
  CHECK(other->authenticated());
  CHECK(first->authenticated());
  first.reset();
  CHECK(third->authenticated());
}

TEST_CASE("bodies on their way are limited in all, those of strangers as well, and of one address of theirs") {
  Limits limits;
  limits.bodies = 5;
  limits.stranger_bodies = 3;
  limits.stranger_bodies_per_address = 2;
  Bodies bodies(limits);
  auto first = bodies.admit("a"), second = bodies.admit("a");
  REQUIRE((first && second));
  CHECK_FALSE(bodies.admit("a"));
  const auto third = bodies.admit("b");
  REQUIRE(third);
  CHECK_FALSE(bodies.admit("c"));
  auto member = bodies.admit(std::nullopt), another = bodies.admit(std::nullopt);
  REQUIRE((member && another));
  CHECK_FALSE(bodies.admit(std::nullopt));
  first.reset();
  CHECK(bodies.admit("c"));
  member.reset();
  CHECK(bodies.admit(std::nullopt));
  CHECK(bodies.admit("a"));
}

TEST_CASE("a customer's IPv6 addresses are one") {
  CHECK(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:2:ffff::1") == network_of("2001:db8:1:2::2"));
  CHECK(network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1"));
  CHECK(network_of("192.0.2.1") == "192.0.2.1");
  CHECK(network_of("") == "");
  namespace ip = boost::asio::ip;
  CHECK(address_text(ip::make_address("::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(address_text(ip::make_address("::1")) == "::1");
}

TEST_CASE("members are reached, all of them or those of one collector") {
  Connections all(limits_of(10, 10));
  Refusal why{};
  auto one = all.admit("a", why), two = all.admit("a", why), gone = all.admit("a", why);
  const auto first = std::make_shared<Recorder>(), second = std::make_shared<Recorder>();
  one->attach(first);
  two->attach(second);
  gone->attach(std::make_shared<Recorder>());
  two->belongs_to("x");
  all.for_each_of("x", [](Connections::Member& member) { member.drain(); });
  CHECK((first->drained == 0 && second->drained == 1));
  all.for_each_of("nobody", [](Connections::Member& member) { member.drain(); });
  all.for_each([](Connections::Member& member) { member.abort(); });
  CHECK((first->aborted == 1 && second->aborted == 1));
  CHECK_FALSE(all.wait_until_empty(1));
  one.reset();
  two.reset();
  gone.reset();
  CHECK(all.wait_until_empty(1'000));
}

TEST_CASE("a body has its grace, then its rate, then its end") {
  Limits limits;
  const BodyPace pace(limits, 1'000);
  CHECK(pace.deadline_ms(0) == 6'000);
  CHECK(pace.deadline_ms(1'024) == 7'000);
  CHECK(pace.deadline_ms(10 * 1'024) == 16'000);
  CHECK(pace.deadline_ms(1 << 20) == 31'000);
  CHECK(pace.deadline_ms(~0ull) == 31'000);
}

TEST_CASE("refusals are counted by their reason and told as what was added") {
  Refusals refusals;
  const auto before = refusals.all();
  CHECK(describe_growth(before, refusals.all()).empty());
  refusals.count(Refusal::kSlowBody);
  refusals.count(Refusal::kPushRate);
  refusals.count(Refusal::kPushRate);
  CHECK(refusals.of(Refusal::kPushRate) == 2);
  CHECK(describe_growth(before, refusals.all()) == "slow_body 1, push_rate 2");
  CHECK(name_of(Refusal::kEnrolLockout) == "enrol_lockout");
}

TEST_CASE("an answer's bytes") {
  constexpr std::int64_t kTime = 784'111'777'000'000'000;  // the example of RFC 9110, section 5.6.7
  const std::string head =
      "HTTP/1.1 200 OK\r\nServer: pganalytics\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: no-store\r\n"
      "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 2\r\n";
  CHECK(answer_text(Response::json(200, "{}"), "", false, true, kTime) == head + "\r\n{}");
  CHECK(answer_text(Response::json(200, "{}"), "", true, false, kTime) == head + "Connection: close\r\n\r\n");
  Response empty;
  empty.status = 304;
  empty = std::move(empty).with_header("Cache-Control", "no-cache");
  CHECK(answer_text(empty, "", false, true, kTime) ==
        "HTTP/1.1 304 Not Modified\r\nServer: pganalytics\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nCache-Control: "
        "no-cache\r\n\r\n");
}
