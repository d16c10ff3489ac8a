// The response table, row by row, against a real TLS server, and who goes first.
#include "core/transport/pusher.h"

#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "tests/core/transport/delivery_fixture.h"
#include "tests/support/catch.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <set>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::eventually;
using testing::key_of;
using testing::quick;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;
using testing::seq_of;
using Fixture = testing::DeliveryFixture;
using Reasons = std::map<std::string, std::string>;

namespace {

constexpr char kConflict[] = R"({"error":{"code":"key_conflict","message":"used for other content"}})";
constexpr char kInProgress[] = R"({"error":{"code":"in_progress","message":"right now"}})";

std::string too_large(std::uint64_t max_bytes, const std::string& code = "body_too_large") {
  return R"({"error":{"code":")" + code + R"(","message":"large","max_bytes":)" + std::to_string(max_bytes) + "}}";
}

ScriptedAnswer lost_answer() {
  ScriptedAnswer answer;
  answer.hang_up = true;
  return answer;
}

}  // namespace

TEST_CASE("whatever says \"not now\" keeps the batch, and the next try delivers it") {
  struct Row {
    const char* name;
    ScriptedAnswer answer;
    const char* state;  // what operators read; "" where it is flow control
  };
  ScriptedAnswer garbage;
  garbage.raw = "HTTP/1.1 banana\r\n\r\n";
  ScriptedAnswer endless;
  endless.endless = true;
  const std::vector<Row> rows = {
      {"no answer", lost_answer(), "away"},
      {"no HTTP", garbage, "away"},
      {"endless body", endless, "away"},
      {"200 of a captive portal", {200, "<html>log in</html>"}, "away"},
      {"200 without a body", {200, ""}, "away"},
      {"200 for another batch", {200, R"({"status":"success","ack":"x.1"})"}, "away"},
      {"204", {204, ""}, "away"},
      {"301", {301, "", {{"Location", "https://elsewhere/"}}}, "redirecting"},
      {"302", {302, "", {{"Location", "/login"}}}, "redirecting"},
      {"308", {308, ""}, "redirecting"},
      {"401", {401, ""}, "not accepting our access token"},
      {"403", {403, ""}, "revoked?"},
      {"404", {404, ""}, "not this API"},
      {"405", {405, ""}, "not this API"},
      {"408", {408, ""}, "away"},
      {"409 of a proxy", {409, ""}, "away"},
      {"411", {411, ""}, "not this API"},
      {"415", {415, ""}, "not this API"},
      {"425", {425, ""}, "away"},
      {"426", {426, ""}, "not this API"},
      {"429 without a time", {429, ""}, "busy"},
      {"431", {431, ""}, "not this API"},
      {"500", {500, ""}, "away"},
      {"501", {501, ""}, "not this API"},
      {"502", {502, "<html>"}, "away"},
      {"503", {503, ""}, "away"},
      {"504", {504, ""}, "away"},
      {"507", {507, ""}, "away"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Fixture t;
    std::atomic<bool> bad{true};
    t.server.on_push = [&](const SeenRequest& request) { return bad ? row.answer : ScriptedBackend::acknowledge(request); };
    t.outbox.add(1, 3);
    t.start();
    REQUIRE(eventually([&] { return t.delivery->status().reason.find(row.state) != std::string::npos; }));
    const DeliveryStatus status = t.delivery->status();
    CHECK(status.failures > 0);
    CHECK(status.next_try_unix_ns > 0);
    CHECK(status.last_error.find("push: ") == 0);
    CHECK(t.outbox.waiting() == 1);
    bad = false;
    REQUIRE(t.drained());
    CHECK(t.outbox.reasons().empty());
    CHECK(t.outbox.acknowledged_documents() == 3);
    CHECK(t.server.requests("login").empty());
    t.delivery->stop(0);
    CHECK(t.delivery->status().reason.empty());
    CHECK(t.delivery->status().breaker == "closed");
  }
}

TEST_CASE("a deleted collector stops pushing, keeps what it has, and goes on when it is known again") {
  Fixture t;
  std::atomic<bool> gone{true};
  t.server.on_push = [&](const SeenRequest& request) {
    return gone ? ScriptedAnswer{410, ""} : ScriptedBackend::acknowledge(request);
  };
  t.server.on_config = [&](const SeenRequest&) { return ScriptedAnswer{gone ? 410 : 304, ""}; };
  t.outbox.add(1);
  DeliveryOptions options = quick();
  options.config_pull_interval_ms = 20;
  t.start(options);
  REQUIRE(eventually([&] { return t.delivery->status().next_try_unix_ns == INT64_MAX; }));
  CHECK(t.delivery->status().reason.find("deleted") != std::string::npos);
  for (std::uint64_t seq = 2; seq <= 5; ++seq) {
    t.outbox.add(seq);
    t.delivery->wake();
  }
  const std::size_t pulls = t.server.requests("/config/").size();
  REQUIRE(eventually([&] { return t.server.requests("/config/").size() > pulls + 3; }));
  CHECK(t.pushes() == 1);
  CHECK(t.outbox.waiting() == 5);
  gone = false;
  REQUIRE(t.drained());
}

TEST_CASE("a deleted collector does not push at its end either") {
  Fixture t;
  t.server.on_push = [](const SeenRequest&) { return ScriptedAnswer{410, ""}; };
  t.server.on_config = [](const SeenRequest&) { return ScriptedAnswer{410, ""}; };
  t.outbox.add(1);
  t.start();
  REQUIRE(eventually([&] { return t.pushes() == 1; }));
  t.delivery->stop(5'000);
  CHECK(t.pushes() == 1);
}

TEST_CASE("a refused batch waits for its second try while others go on, then it is set aside as poison") {
  Fixture t;
  const int status = GENERATE(400, 422);
  std::vector<std::uint64_t> order;
  t.server.on_push = [&](const SeenRequest& request) {
    order.push_back(seq_of(request));
    if (seq_of(request) == 3) return ScriptedAnswer{status, R"({"error":{"code":"bad_envelope","message":"bad document"}})"};
    return ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq);
  DeliveryOptions options = quick();
  options.push.refused_retry_ms = 3'000;
  t.start(options);
  REQUIRE(t.drained());
  t.delivery->stop(0);
  CHECK(t.outbox.reasons() == Reasons{{"3", "poison"}});
  CHECK(order == std::vector<std::uint64_t>{3, 1, 2, 3});  // the newest first
  CHECK(t.delivery->status().poison_batches == 1);
  CHECK(t.delivery->status().held_batches == 0);
  CHECK(t.delivery->status().refused_reason.find("bad document") != std::string::npos);
}

TEST_CASE("a batch refused once and then taken is not lost") {
  Fixture t;
  int calls = 0;
  t.server.on_push = [&](const SeenRequest& request) {
    return ++calls == 1 ? ScriptedAnswer{422, ""} : ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
}

TEST_CASE("three refused batches in a row are the server's fault: nothing is set aside, and the reason is to be seen") {
  Fixture t;
  std::atomic<bool> broken{true};
  t.server.on_push = [&](const SeenRequest& request) {
    return broken ? ScriptedAnswer{400, R"({"error":{"code":"x","message":"I do not understand"}})"}
                  : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 6; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(eventually([&] { return t.pushes() >= 30; }));
  CHECK(t.outbox.reasons().empty());
  CHECK(t.outbox.waiting() == 6);
  CHECK(t.delivery->status().reason.find("refusing every batch") == 0);
  CHECK(t.delivery->status().reason.find("I do not understand") != std::string::npos);
  CHECK(t.delivery->status().breaker != "closed");
  broken = false;
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
  CHECK(t.outbox.acknowledged().size() == 6);
}

TEST_CASE("of many poisonous batches among good ones only those are lost") {
  Fixture t;
  const std::set<std::uint64_t> poison = {2, 3, 4, 5, 9};
  t.server.on_push = [&](const SeenRequest& request) {
    return poison.count(seq_of(request)) != 0 ? ScriptedAnswer{400, ""} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 12; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(eventually([&] { return t.outbox.acknowledged().size() == 7; }));
  // What is left is poison only, and more than two of it in a row cannot be told from a broken server; a good one can tell.
  std::uint64_t seq = 100;
  REQUIRE(eventually([&] {
    t.outbox.add(++seq);
    t.delivery->wake();
    return t.outbox.reasons().size() == 5;
  }));
  for (const auto& [key, reason] : t.outbox.reasons()) {
    CHECK(poison.count(std::stoull(key)) == 1);
    CHECK(reason == "poison");
  }
  REQUIRE(t.drained());
}

TEST_CASE("a server that knows the number with other content gets the batch under a new one") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    if (key_of(request).find(testing::kEpoch) == 0 && seq_of(request) == 2) return ScriptedAnswer{422, kConflict};
    return ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
  const auto acknowledged = t.outbox.acknowledged();
  CHECK(acknowledged.size() == 3);
  CHECK(acknowledged.count(std::string(testing::kEpoch) + ".2") == 0);
  CHECK(acknowledged.count(std::string(testing::kEpoch) + ".3") == 1);
  CHECK(t.delivery->status().rekeyed_batches == 1);
}

TEST_CASE("a server that says so of every batch does not make us number for ever") {
  Fixture t;
  std::atomic<bool> broken{true};
  t.server.on_push = [&](const SeenRequest& request) {
    return broken ? ScriptedAnswer{422, kConflict} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 5; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(eventually([&] { return t.pushes() >= 15; }));
  CHECK(t.delivery->status().rekeyed_batches == 3);
  CHECK(t.delivery->status().reason.find("other content") != std::string::npos);
  broken = false;
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged_documents() == 5);
}

TEST_CASE("a batch that is too large goes in halves, and halves of halves, until they fit") {
  Fixture t;
  std::map<std::string, int> stored;
  t.server.on_push = [&](const SeenRequest& request) {
    if (request.body.size() > 2048) return ScriptedAnswer{413, too_large(2048)};
    ++stored[key_of(request)];
    return ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1, 10, 1000);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
  CHECK(t.outbox.acknowledged_documents() == 10);
  std::size_t bytes = 0;
  for (const SeenRequest& request : t.server.requests("/metrics/push"))
    bytes += request.body.size() > 2048 ? 0 : request.body.size();
  CHECK(bytes == 10'000);
  for (const auto& [key, times] : stored) CHECK(times == 1);
  // Once told, nothing is sent that is known to be too large.
  CHECK(t.pushes() == stored.size() + 1);
  t.outbox.add(2, 8, 1000);
  t.delivery->wake();
  REQUIRE(t.drained());
  for (const SeenRequest& request : t.server.requests("/metrics/push"))
    CHECK((request.body.size() <= 2048 || seq_of(request) == 1));
  CHECK(t.delivery->status().split_batches >= 8);
}

TEST_CASE("a batch of which the server has a part goes in its halves; one that has none is sealed anew") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    const std::string key = key_of(request);
    if (key == std::string(testing::kEpoch) + ".1" || key == std::string(testing::kEpoch) + ".2")
      return ScriptedAnswer{422, R"({"error":{"code":"part_stored","message":"a part is stored"}})"};
    return ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1, 4);
  t.outbox.add(2, 1);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
  CHECK(t.outbox.acknowledged_documents() == 5);
  CHECK(t.outbox.acknowledged().count(std::string(testing::kEpoch) + ".1/0") == 1);
  CHECK(t.outbox.acknowledged().count(std::string(testing::kEpoch) + ".1/1") == 1);
  CHECK(t.delivery->status().split_batches == 1);
  CHECK(t.delivery->status().rekeyed_batches == 1);
}

TEST_CASE("a limit of the expanded size counts what the body expands to") {
  Fixture t;
  t.server.on_push = [&](const SeenRequest& request) {
    if (request.body.size() > 4096) return ScriptedAnswer{413, too_large(4096, "inflated_too_large")};
    return ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1, 8, 1000);
  t.start();
  REQUIRE(t.drained());
  t.outbox.add(2, 8, 1000);
  t.delivery->wake();
  REQUIRE(t.drained());
  CHECK(t.pushes() == 5);  // one too large, then the halves of both
}

TEST_CASE("a limit is believed for a while only") {
  Fixture t;
  std::atomic<bool> strict{true};
  t.server.on_push = [&](const SeenRequest& request) {
    if (strict && request.body.size() > 2048) return ScriptedAnswer{413, too_large(2048)};
    return ScriptedBackend::acknowledge(request);
  };
  DeliveryOptions options = quick();
  options.push.limit_ms = 1;
  t.outbox.add(1, 4, 1000);
  t.start(options);
  REQUIRE(t.drained());
  strict = false;
  t.outbox.add(2, 4, 1000);
  t.delivery->wake();
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged().count(std::string(testing::kEpoch) + ".2") == 1);  // whole
}

TEST_CASE("one document that is too large by itself is set aside as such, its neighbours are not") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    const std::string key = key_of(request).substr(33);
    return key == "1" || key == "1/1" ? ScriptedAnswer{413, ""} : ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1, 2);
  t.outbox.add(2);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons() == Reasons{{"1/1", "too_large"}});
  CHECK(t.outbox.acknowledged_documents() == 2);
  CHECK(t.delivery->status().too_large_batches == 1);
}

TEST_CASE("a server that finds everything too large loses us two documents at most") {
  Fixture t;
  std::atomic<bool> broken{true};
  t.server.on_push = [&](const SeenRequest& request) {
    return broken ? ScriptedAnswer{413, too_large(1)} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 4; ++seq) t.outbox.add(seq, 4);
  t.start();
  REQUIRE(eventually([&] { return t.delivery->status().reason.find("too large") != std::string::npos; }));
  REQUIRE(eventually([&] { return t.pushes() > 30; }));
  CHECK(t.outbox.lost_documents() == 2);
  broken = false;
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged_documents() == 14);
}

TEST_CASE("a batch that the server is storing right now is asked for again soon, and others go on") {
  Fixture t;
  std::vector<std::uint64_t> order;
  t.server.on_push = [&](const SeenRequest& request) {
    order.push_back(seq_of(request));
    return order.size() == 1 ? ScriptedAnswer{409, kInProgress, {{"Retry-After", "1"}}} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(0);
  CHECK(order == std::vector<std::uint64_t>{3, 1, 2, 3});
}

TEST_CASE("what cannot be written down now waits: splitting, sealing anew, holding, acknowledging") {
  Fixture t;
  const Error not_now{PGA_E_TRANSIENT, "spool.read_only", "the disk is read-only", "", 0};
  std::atomic<int> wrong{1};
  SECTION("splitting") {
    t.outbox.split_error = not_now;
    t.server.on_push = [&](const SeenRequest& request) {
      return request.body.size() > 1 ? ScriptedAnswer{413, ""} : ScriptedBackend::acknowledge(request);
    };
  }
  SECTION("sealing anew") {
    t.outbox.rekey_error = not_now;
    t.server.on_push = [&](const SeenRequest& request) {
      return key_of(request) == std::string(testing::kEpoch) + ".1" ? ScriptedAnswer{422, kConflict}
                                                                    : ScriptedBackend::acknowledge(request);
    };
  }
  SECTION("holding") {
    t.outbox.hold_error = not_now;
    t.server.on_push = [&](const SeenRequest& request) {
      return seq_of(request) == 1 && wrong-- > 0 ? ScriptedAnswer{400, ""} : ScriptedBackend::acknowledge(request);
    };
  }
  SECTION("acknowledging") { t.outbox.fail_acknowledging(3); }
  t.outbox.add(1, 2);
  t.outbox.add(2);
  t.start();
  REQUIRE(eventually([&] { return t.outbox.acknowledged().size() >= 1; }));
  {
    const auto lock = t.outbox.lock();
    t.outbox.split_error = t.outbox.rekey_error = t.outbox.hold_error = std::nullopt;
  }
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged_documents() == 3);
  CHECK(t.outbox.reasons().empty());
}

TEST_CASE("a batch that a cap dropped meanwhile is done with, whatever the server says") {
  Fixture t;
  const ScriptedAnswer answer =
      GENERATE(ScriptedAnswer{400, ""}, ScriptedAnswer{413, ""}, ScriptedAnswer{422, kConflict}, ScriptedAnswer{200, ""});
  CAPTURE(answer.status);
  t.server.on_push = [&](const SeenRequest& request) {
    if (seq_of(request) != 1) return ScriptedBackend::acknowledge(request);
    t.outbox.drop(1);
    return answer.status == 200 ? ScriptedBackend::acknowledge(request) : answer;
  };
  t.outbox.add(1, 2);
  t.start();
  REQUIRE(t.drained());
  t.outbox.add(2);
  t.delivery->wake();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().empty());
}

TEST_CASE("an outbox that fails for a while stops nothing") {
  Fixture t;
  t.outbox.add(1);
  t.outbox.fail(3);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged().size() == 1);
}

TEST_CASE("while a backlog drains, each fourth push is the newest batch") {
  Fixture t;
  t.server.on_push = [&, pushes = 0](const SeenRequest& request) mutable {
    t.outbox.add(1000 + ++pushes);  // life goes on
    return ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 60; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(eventually([&] { return t.pushes() >= 40; }));
  t.delivery->stop(0);
  std::vector<std::uint64_t> order;
  for (const SeenRequest& request : t.server.requests("/metrics/push")) order.push_back(seq_of(request));
  // The first live one was handed out before anything new was there.
  CHECK(order[0] == 60);
  for (std::size_t i = 1; i < 40; ++i) {
    CAPTURE(i, order[i]);
    CHECK((order[i] > 1000) == (i % 4 == 0));
  }
  const DeliveryStatus status = t.delivery->status();
  CHECK(status.backlog_batches >= 3 * (status.live_batches - 1));
}

TEST_CASE("a slow backlog does not keep the newest batch waiting for three of its pushes") {
  Fixture t;
  std::vector<std::uint64_t> order;
  t.server.on_push = [&](const SeenRequest& request) {
    order.push_back(seq_of(request));
    t.outbox.add(1000 + order.size());
    std::this_thread::sleep_for(std::chrono::milliseconds(6));  // what is tested: a slow server
    return ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 20; ++seq) t.outbox.add(seq);
  DeliveryOptions options = quick();
  options.push.live_after_ms = 5;
  t.start(options);
  REQUIRE(eventually([&] { return t.pushes() >= 10; }));
  t.delivery->stop(0);
  for (std::size_t i = 1; i < 10; ++i) CHECK((order[i] > 1000));
}

TEST_CASE("after an outage the newest batch is on the server with the first calls, the backlog follows") {
  Fixture t;
  std::atomic<bool> down{true};
  std::vector<std::uint64_t> order;
  t.server.on_push = [&](const SeenRequest& request) {
    if (down) return ScriptedAnswer{503, ""};
    order.push_back(seq_of(request));
    return ScriptedBackend::acknowledge(request);
  };
  t.start();
  for (std::uint64_t seq = 1; seq <= 200; ++seq) {
    t.outbox.add(seq);
    t.delivery->wake();
  }
  REQUIRE(eventually([&] { return t.delivery->status().breaker == "open"; }));
  t.outbox.add(1000);
  down = false;
  REQUIRE(t.drained());
  t.delivery->stop(0);
  REQUIRE(order.size() == 201);
  CHECK(std::find(order.begin(), order.end(), 1000U) - order.begin() < 10);
}

TEST_CASE("five failures in a row open the breaker, one good call closes it") {
  Breaker breaker(1'000, 120'000, 1);
  for (int i = 0; i < 4; ++i) {
    breaker.calling();
    const std::int64_t wait_ms = breaker.failed();
    CHECK(wait_ms <= (1'000 << i));
    CHECK(breaker.state() == Breaker::State::kClosed);
  }
  breaker.failed();
  CHECK(breaker.state() == Breaker::State::kOpen);
  breaker.calling();
  CHECK(breaker.state() == Breaker::State::kHalfOpen);
  breaker.failed();
  CHECK(breaker.state() == Breaker::State::kOpen);
  for (int i = 0; i < 100; ++i) CHECK(breaker.failed() <= 120'000);
  CHECK(breaker.failed(200'000) == 200'000);
  breaker.calling();
  breaker.succeeded();
  CHECK(breaker.state() == Breaker::State::kClosed);
  // One success does not forget how long the waits have grown, two do.
  std::int64_t longest_ms = 0;
  for (int i = 0; i < 50; ++i) {
    breaker.succeeded();
    longest_ms = std::max(longest_ms, breaker.failed());
  }
  CHECK(longest_ms > 10'000);
  breaker.succeeded();
  breaker.succeeded();
  CHECK(breaker.failed() <= 1'000);
  CHECK(std::string(name_of(Breaker::State::kHalfOpen)) == "half-open");
}

TEST_CASE("a batch that always makes the server fail stops its lane, not the other one") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    return seq_of(request) == 7 ? ScriptedAnswer{500, ""} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 20; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(eventually([&] { return t.outbox.waiting() == 1; }));
  CHECK(t.outbox.reasons().empty());
}

TEST_CASE("the server's clock is known from its answers") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    return ScriptedBackend::acknowledge(
        request, R"(,"server_time":")" + clock::format_rfc3339(clock::now_unix_ns() + 90'000'000'000) + '"');
  };
  t.outbox.add(1);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(0);
  REQUIRE(t.delivery->status().clock_offset_ms);
  CHECK(std::abs(*t.delivery->status().clock_offset_ms - 90'000) < 5'000);
}

TEST_CASE("whatever a server answers in whatever order, each document ends exactly once") {
  const unsigned seed = GENERATE(range(1U, 13U));
  CAPTURE(seed);
  Fixture t;
  std::mt19937 random(seed);
  std::set<std::string> stored;
  std::uint64_t stored_documents = 0;
  const auto is_stored = [&](std::string key) {  // itself or a whole that it is a part of
    for (;; key.resize(key.rfind('/'))) {
      if (stored.count(key) != 0) return true;
      if (key.find('/') == std::string::npos) return false;
    }
  };
  int calls = 0;
  t.server.on_push = [&](const SeenRequest& request) {
    const unsigned kind = ++calls > 150 ? 0 : static_cast<unsigned>(random() % 14);
    const std::string key = key_of(request);
    const auto store = [&] {
      if (!is_stored(key)) stored_documents += request.body.size();
      stored.insert(key);
    };
    switch (kind) {
      case 1: return ScriptedAnswer{503, ""};
      case 2: store(); return lost_answer();
      case 3: return is_stored(key) ? ScriptedBackend::acknowledge(request) : ScriptedAnswer{413, too_large(1024)};
      case 4: return is_stored(key) ? ScriptedBackend::acknowledge(request) : ScriptedAnswer{400, ""};
      case 5: return ScriptedAnswer{401, ""};
      case 6: return ScriptedAnswer{302, ""};
      case 7: return ScriptedAnswer{409, kInProgress};
      case 8: return ScriptedAnswer{200, "<html>"};
      case 9: return ScriptedAnswer{403, ""};
      default: store(); return ScriptedBackend::acknowledge(request);
    }
  };
  for (std::uint64_t seq = 1; seq <= 30; ++seq) t.outbox.add(seq, static_cast<std::uint32_t>(1 + seq % 5));
  std::uint64_t produced = 0;
  for (std::uint64_t seq = 1; seq <= 30; ++seq) produced += 1 + seq % 5;
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged_documents() + t.outbox.lost_documents() == produced);
  for (const auto& [key, times] : t.outbox.acknowledged()) {
    CHECK(times == 1);
    CHECK(is_stored(key));
  }
  CHECK(stored_documents + t.outbox.lost_documents() == produced);
}

TEST_CASE("what the server knew already and what it rejected of a batch is counted") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    const std::string odd = R"("metrics_count":1,"duplicate":)" + std::string(seq_of(request) == 1 ? "true" : "false") +
                            R"(,"rejected":)" + (seq_of(request) == 2 ? R"([{"index":0},{"index":3}])" : "[]") + "}";
    return ScriptedAnswer{200, R"({"status":"success","ack":")" + key_of(request) + "\"," + odd};
  };
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq, 4);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(0);
  const DeliveryStatus status = t.delivery->status();
  CHECK(status.pushed_batches == 3);
  CHECK(status.duplicate_batches == 1);
  CHECK(status.rejected_documents == 2);
}

TEST_CASE("a disk that fails for good while a batch is sealed anew or set aside loses nothing by it") {
  Fixture t;
  const Error broken{PGA_E_FAIL, "spool.io", "the disk is broken", "", 0};
  std::atomic<bool> refusing{true};
  SECTION("sealed anew") {
    t.outbox.rekey_error = broken;
    t.server.on_push = [&](const SeenRequest& request) {
      return refusing ? ScriptedAnswer{422, kConflict} : ScriptedBackend::acknowledge(request);
    };
  }
  SECTION("set aside") {
    t.outbox.set_aside_error = broken;
    t.server.on_push = [&](const SeenRequest& request) {
      return refusing && seq_of(request) == 1 ? ScriptedAnswer{400, ""} : ScriptedBackend::acknowledge(request);
    };
  }
  SECTION("split") {
    t.outbox.split_error = broken;
    t.server.on_push = [&](const SeenRequest& request) {
      return refusing ? ScriptedAnswer{413, ""} : ScriptedBackend::acknowledge(request);
    };
  }
  t.outbox.add(1, 2);
  t.start();
  REQUIRE(eventually([&] { return t.delivery->status().reason.find("the disk is broken") != std::string::npos; }));
  CHECK(t.delivery->status().last_error.find("spool: ") == 0);
  CHECK(t.delivery->status().poison_batches == 0);
  CHECK(t.delivery->status().rekeyed_batches == 0);
  refusing = false;
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged_documents() == 2);
  CHECK(t.outbox.reasons().empty());
}

TEST_CASE("in order, every batch is the oldest that waits") {
  Fixture fixture;
  for (std::uint64_t seq = 1; seq <= 12; ++seq) fixture.outbox.add(seq);
  int asked = 0;
  fixture.server.on_push = [&asked](const SeenRequest& request) {
    return ++asked % 3 == 0 ? ScriptedAnswer{503, ""} : ScriptedBackend::acknowledge(request);
  };
  auto options = quick();
  options.push.in_order = true;
  fixture.start(options);
  REQUIRE(fixture.drained());
  std::vector<std::uint64_t> order;
  for (const SeenRequest& request : fixture.server.requests("/metrics/push")) {
    if (order.empty() || order.back() != seq_of(request)) order.push_back(seq_of(request));
  }
  CHECK(order == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}
