#include "core/transport/delivery.h"

#include "tests/core/transport/delivery_fixture.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <atomic>
#include <map>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::eventually;
using testing::quick;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;
using testing::seq_of;
using Fixture = testing::DeliveryFixture;

TEST_CASE("every batch arrives once, whatever happens on the way") {
  Fixture t;
  int call = 0;
  std::map<std::uint64_t, int> stored;
  // What the server stored is what it acknowledged or would have: a lost answer stored the batch all the same.
  t.server.on_push = [&](const SeenRequest& request) {
    const int kind = call++ % 9;
    const bool stores = kind == 0 || kind == 5 || kind == 8;
    if (stores) ++stored[seq_of(request)];
    switch (kind) {
      case 1: return ScriptedAnswer{503, ""};
      case 2: return ScriptedAnswer{200, "<html>"};
      case 3: return ScriptedAnswer{401, ""};
      case 4: return ScriptedAnswer{302, "", {{"Location", "/"}}};
      case 5: {
        ScriptedAnswer lost;
        lost.hang_up = true;
        return lost;
      }
      case 6: return ScriptedAnswer{403, ""};
      case 7: return ScriptedAnswer{500, "garbage"};
      default: return ScriptedBackend::acknowledge(request);
    }
  };
  for (std::uint64_t seq = 1; seq <= 12; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(0);
  const auto acknowledged = t.outbox.acknowledged();
  REQUIRE(acknowledged.size() == 12);
  for (const auto& [seq, times] : acknowledged) CHECK(times == 1);
  CHECK(t.outbox.reasons().empty());
  CHECK(stored.size() == 12);
  CHECK(t.delivery->status().pushed_batches == 12);
  CHECK(t.delivery->status().failures > 0);
  CHECK(t.delivery->status().last_error.empty());
}

TEST_CASE("wake delivers what was sealed while nothing waited") {
  Fixture t;
  t.start();
  REQUIRE(eventually([&] { return t.server.requests("/config/").size() == 1; }));
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    t.outbox.add(seq);
    t.delivery->wake();
    REQUIRE(t.drained());
  }
  CHECK(t.server.requests("/metrics/push").size() == 3);
}

TEST_CASE("configuration is pulled at start, with the known tag, and handed over only if it changed") {
  Fixture t;
  t.server.on_config = [](const SeenRequest& request) {
    const auto known = request.headers.find("if-none-match");
    if (known != request.headers.end() && known->second == "\"5\"") return ScriptedAnswer{304, ""};
    return ScriptedAnswer{200, R"({"version":5})", {{"ETag", "\"5\""}}};
  };
  DeliveryOptions options = quick();
  options.config_pull_interval_ms = 10;
  options.known_etag = "\"4\"";
  t.start(options);
  REQUIRE(eventually([&] { return t.server.requests("/config/").size() >= 4; }));
  t.delivery->stop(0);
  CHECK(t.server.requests("/config/")[0].headers.at("if-none-match") == "\"4\"");
  const auto pulled = t.sink.pulled();
  REQUIRE(pulled.size() == 1);
  CHECK(pulled[0].first == R"({"version":5})");
  CHECK(pulled[0].second == "\"5\"");
  CHECK(t.delivery->status().last_config_unix_ns > 0);
}

TEST_CASE("a push's answer that tells of a newer configuration is followed by one pull at once") {
  Fixture t;
  std::atomic<int> version{1};
  t.server.on_config = [&](const SeenRequest&) {
    const std::string number = std::to_string(version);
    return ScriptedAnswer{200, "{\"version\":" + number + "}", {{"ETag", "\"" + number + "\""}}};
  };
  t.server.on_push = [&](const SeenRequest& request) {
    return ScriptedBackend::acknowledge(request, ",\"config_version\":" + std::to_string(version));
  };
  t.start();  // the interval is five minutes
  REQUIRE(eventually([&] { return t.sink.pulled().size() == 1; }));
  version = 2;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) t.outbox.add(seq);
  t.delivery->wake();
  REQUIRE(eventually([&] { return t.sink.pulled().size() == 2; }));
  REQUIRE(t.drained());
  CHECK(t.sink.pulled()[1].first == R"({"version":2})");
  CHECK(t.server.requests("/config/").size() == 2);
}

TEST_CASE("a newer configuration that is announced but not given is asked for once, not after every push") {
  Fixture t;
  t.server.on_config = [](const SeenRequest&) { return ScriptedAnswer{200, R"({"version":1})", {{"ETag", "\"1\""}}}; };
  t.server.on_push = [](const SeenRequest& request) { return ScriptedBackend::acknowledge(request, R"(,"config_version":2)"); };
  for (std::uint64_t seq = 1; seq <= 5; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(10'000);
  CHECK(t.server.requests("/config/").size() == 2);
}

TEST_CASE("a certificate past half of its life is renewed at start") {
  Fixture t;
  t.server.age_certificate(20 * 3600);
  t.outbox.add(1);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.server.requests("/certificate").size() == 1);
  CHECK(t.server.requests("/metrics/push").back().certificate_thumbprint !=
        t.server.requests("/certificate").front().certificate_thumbprint);
}

TEST_CASE("a certificate that is renewed after all ends the wait that its refusals brought") {
  Fixture t;
  t.server.age_certificate(20 * 3600);
  std::atomic<bool> refusing{true};
  t.server.on_certificate = [&](const SeenRequest& request) {
    return refusing ? ScriptedAnswer{500, ""} : t.server.certify(request);
  };
  std::string old;
  t.server.on_push = [&](const SeenRequest& request) {
    if (old.empty()) old = request.certificate_thumbprint;
    return request.certificate_thumbprint == old ? ScriptedAnswer{401, ""} : ScriptedBackend::acknowledge(request);
  };
  DeliveryOptions options = quick();
  options.config_pull_interval_ms = 20;
  options.push.unauthorized_first_ms = 3'600'000;
  t.outbox.add(1);
  t.start(options);
  REQUIRE(eventually([&] { return t.delivery->status().reason.find("not accepting") == 0; }));
  refusing = false;
  CHECK(t.drained());
}

TEST_CASE("without the configuration, batches flow all the same") {
  Fixture t;
  t.server.on_config = [](const SeenRequest&) { return ScriptedAnswer{500, ""}; };
  t.outbox.add(1);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.sink.pulled().empty());
  CHECK(t.delivery->status().last_error.find("config pull") == 0);
}

TEST_CASE("stopping drains what the server takes, and gives up at the deadline") {
  Fixture t;
  SECTION("the server takes them") {
    t.start();
    for (std::uint64_t seq = 1; seq <= 20; ++seq) t.outbox.add(seq);
    t.delivery->stop(10'000);
    CHECK(t.outbox.waiting() == 0);
  }
  SECTION("the server does not, and a backoff of minutes is not waited for") {
    t.server.on_push = [](const SeenRequest&) { return ScriptedAnswer{503, "", {{"Retry-After", "600"}}}; };
    t.outbox.add(1);
    t.start();
    REQUIRE(eventually([&] { return !t.server.requests("/metrics/push").empty(); }));
    t.delivery->stop(600'000);  // what is tested: that it returns
    CHECK(t.pushes() == 2);
    CHECK(t.outbox.waiting() == 1);
  }
  SECTION("the time is over: nothing is asked, of the outbox neither") {
    t.server.on_push = [](const SeenRequest&) { return ScriptedAnswer{503, "", {{"Retry-After", "600"}}}; };
    t.outbox.add(1);
    t.start();
    REQUIRE(eventually([&] { return t.delivery->status().failures == 1; }));
    const int asks = t.outbox.asks();
    t.delivery->stop(0);
    CHECK(t.outbox.asks() == asks);
    CHECK(t.pushes() == 1);
  }
}

TEST_CASE("what became of a configuration is told until the server has it") {
  Fixture t;
  t.server.on_config = [](const SeenRequest&) { return ScriptedAnswer{304, ""}; };
  int call = 0;
  t.server.on_status = [&](const SeenRequest&) {
    constexpr int kAnswers[] = {503, 401, 401, 403, 429, 204};
    return ScriptedAnswer{kAnswers[std::min(call++, 5)], ""};
  };
  t.start();
  t.delivery->report_config({7, "rejected", "plugin disk: \"no\""});
  REQUIRE(eventually([&] { return t.server.requests("/status").size() == 6; }));
  const SeenRequest told = t.server.requests("/status").back();
  CHECK(told.method == "POST");
  CHECK(told.body == R"({"version":7,"state":"rejected","reason":"plugin disk: \"no\""})");
  t.delivery->report_config({8, "applied", ""});
  REQUIRE(eventually([&] { return t.server.requests("/status").size() == 7; }));
  CHECK(t.server.requests("/status").back().body == R"({"version":8,"state":"applied","reason":null})");
}

TEST_CASE("a server that does not want to know what became of a configuration is told once") {
  Fixture t;
  t.server.on_status = [&](const SeenRequest&) { return ScriptedAnswer{404, ""}; };
  t.start();
  t.delivery->report_config({7, "applied", ""});
  REQUIRE(eventually([&] { return t.server.requests("/status").size() == 1; }));
  t.outbox.add(1);
  t.delivery->wake();
  REQUIRE(t.drained());
  t.delivery->stop(1'000);
  CHECK(t.server.requests("/status").size() == 1);
}

TEST_CASE("a report made while the collector stops is still told") {
  Fixture t;
  t.start();
  REQUIRE(eventually([&] { return !t.server.requests("/config/").empty(); }));
  t.delivery->report_config({7, "applied", ""});
  t.delivery->stop(5'000);
  CHECK(t.server.requests("/status").size() == 1);
}

TEST_CASE("the newest batches that were acknowledged and refused are known by their keys") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    return seq_of(request) == 2 ? ScriptedAnswer{400, R"({"error":{"code":"x","message":"not like this"}})"}
                                : ScriptedBackend::acknowledge(request);
  };
  t.start();
  CHECK(t.delivery->status().newest_acknowledged.seq == 0);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq);
  t.delivery->wake();
  REQUIRE(t.drained());
  const DeliveryStatus status = t.delivery->status();
  CHECK(status.newest_acknowledged.seq == 3);
  CHECK(status.newest_refused.seq == 2);
  CHECK_THAT(status.refused_reason, Catch::Contains("not like this"));
}

TEST_CASE("a certificate that cannot be renewed is told, also while everything else goes well") {
  Fixture t;
  t.server.age_certificate(20 * 3600);
  std::atomic<bool> refusing{true};
  t.server.on_certificate = [&](const SeenRequest& request) {
    return refusing ? ScriptedAnswer{500, R"({"error":{"code":"x","message":"no key to sign with"}})"}
                    : t.server.certify(request);
  };
  DeliveryOptions options = quick();
  options.config_pull_interval_ms = 20;
  t.outbox.add(1);
  t.start(options);
  REQUIRE(t.drained());
  REQUIRE(eventually([&] { return t.delivery->status().last_config_unix_ns != 0; }));
  const std::string error = t.delivery->status().last_error;
  CHECK_THAT(error, Catch::StartsWith("certificate renewal: ") && Catch::Contains("no key to sign with"));
  refusing = false;
  CHECK(eventually([&] { return t.delivery->status().last_error.empty(); }));
}

TEST_CASE("a configuration that the server will not give now is asked for when the server said") {
  Fixture t;
  t.server.on_config = [](const SeenRequest&) { return ScriptedAnswer{429, "", {{"Retry-After", "600"}}}; };
  DeliveryOptions options = quick();
  options.config_pull_interval_ms = 10;
  t.start(options);
  REQUIRE(eventually([&] { return t.delivery->status().last_error.find("config pull") == 0; }));
  for (std::uint64_t seq = 1; seq <= 5; ++seq) t.outbox.add(seq);
  t.delivery->wake();
  REQUIRE(t.drained());
  CHECK(t.server.requests("/config/").size() == 1);
}

TEST_CASE("a tag that is no version's is sent back as it is, and any announced version is news") {
  const std::string tag = GENERATE(R"("abc")", R"("1/2")", R"("99999999999999999999999")");
  CAPTURE(tag);
  Fixture t;
  t.server.on_config = [&](const SeenRequest& request) {
    const auto known = request.headers.find("if-none-match");
    return known != request.headers.end() && known->second == tag ? ScriptedAnswer{304, ""} : ScriptedAnswer{500, ""};
  };
  t.server.on_push = [](const SeenRequest& request) { return ScriptedBackend::acknowledge(request, R"(,"config_version":1)"); };
  DeliveryOptions options = quick();
  options.known_etag = tag;
  t.outbox.add(1);
  t.start(options);
  REQUIRE(eventually([&] { return t.server.requests("/config/").size() == 2; }));
  CHECK(t.delivery->status().last_error.empty());
}

TEST_CASE("a report made while an older one is on its way is told after it") {
  Fixture t;
  t.server.on_status = [&](const SeenRequest& request) {
    if (request.body.find(R"("version":7)") != std::string::npos) t.delivery->report_config({8, "rejected", "no"});
    return ScriptedAnswer{204, ""};
  };
  t.start();
  t.delivery->report_config({7, "applied", ""});
  REQUIRE(eventually([&] { return t.server.requests("/status").size() == 2; }));
  t.delivery->stop(1'000);
  const auto told = t.server.requests("/status");
  REQUIRE(told.size() == 2);
  CHECK_THAT(told[1].body, Catch::Contains(R"("version":8)"));
}

TEST_CASE("a server that is away at the end does not keep a report or the collector waiting") {
  Fixture t;
  t.server.on_status = [](const SeenRequest&) { return ScriptedAnswer{503, "", {{"Retry-After", "600"}}}; };
  t.start();
  t.delivery->report_config({7, "applied", ""});
  REQUIRE(eventually([&] { return !t.server.requests("/status").empty(); }));
  t.delivery->stop(600'000);  // what is tested: that it returns
  CHECK(t.server.requests("/status").size() == 2);
}
