#include "core/transport/delivery.h"

#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::eventually;
using testing::make_batch;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;

namespace {

class MemoryOutbox : public spool::Outbox {
 public:
  void add(std::uint64_t seq) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(make_batch(seq, "body " + std::to_string(seq)));
  }
  Expected<std::optional<spool::Batch>> next(spool::Lane) override {
    const std::lock_guard lock(mutex_);
    if (failures_ > 0 && failures_-- > 0) return Error{PGA_E_FAIL, "spool", "disk says no", "", 0};
    if (waiting_.empty()) return std::optional<spool::Batch>();
    return std::optional<spool::Batch>(waiting_.front());
  }
  Outcome acknowledge(const spool::BatchKey& key) override { return take(key.seq, acknowledged_[key.seq]); }
  Outcome set_aside(const spool::BatchKey& key, const std::string& reason) override {
    {
      const std::lock_guard lock(mutex_);
      reasons_[key.seq] = reason;
    }
    return take(key.seq, set_aside_[key.seq]);
  }
  Outcome hold(const spool::BatchKey&) override { return {}; }
  void release(const spool::BatchKey&) override {}
  Expected<bool> split(const spool::BatchKey&) override { return false; }
  Outcome rekey(const spool::BatchKey&) override { return {}; }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  [[nodiscard]] std::map<std::uint64_t, int> acknowledged() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }
  [[nodiscard]] std::map<std::uint64_t, std::string> reasons() const {
    const std::lock_guard lock(mutex_);
    return reasons_;
  }

 private:
  Outcome take(std::uint64_t seq, int& count) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || waiting_.front().key.seq != seq) return Error{PGA_E_NOTFOUND, "spool", "no such batch", "", 0};
    waiting_.pop_front();
    ++count;
    return {};
  }

  mutable std::mutex mutex_;
  std::deque<spool::Batch> waiting_;
  std::map<std::uint64_t, int> acknowledged_, set_aside_;
  std::map<std::uint64_t, std::string> reasons_;
  int failures_ = 0;
};

class RecordingSink : public ConfigSink {
 public:
  void config_pulled(std::string body, std::string etag) override {
    const std::lock_guard lock(mutex_);
    pulled_.emplace_back(std::move(body), std::move(etag));
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> pulled() const {
    const std::lock_guard lock(mutex_);
    return pulled_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> pulled_;
};

// Milliseconds instead of seconds and minutes.
DeliveryOptions quick() {
  DeliveryOptions options;
  options.retry_first_ms = 2;
  options.retry_max_ms = 10;
  options.refused_retry_ms = 5;
  options.forbidden_first_ms = 5;
  options.forbidden_max_ms = 10;
  return options;
}

std::uint64_t seq_of(const SeenRequest& request) {
  const std::string key = request.headers.at("idempotency-key");
  return std::stoull(key.substr(key.find('.') + 1));
}

struct Fixture {
  ScriptedBackend server;
  MemoryOutbox outbox;
  RecordingSink sink;
  std::unique_ptr<Delivery> delivery;

  void start(const DeliveryOptions& options = quick()) {
    server.start();
    delivery = std::make_unique<Delivery>(server.open(), outbox, sink, options);
    delivery->start();
  }
  bool drained() {
    return eventually([this] { return outbox.waiting() == 0; });
  }
};

}  // namespace

TEST_CASE("every batch arrives once, in order, whatever happens on the way") {
  Fixture t;
  int call = 0;
  std::map<std::uint64_t, int> stored;
  std::vector<std::uint64_t> order;
  // What the server stored is what it acknowledged or would have: a lost answer stored the batch all the same.
  t.server.on_push = [&](const SeenRequest& request) {
    const int kind = call++ % 9;
    const bool stores = kind == 0 || kind == 5 || kind == 8;
    if (stores && stored[seq_of(request)]++ == 0) order.push_back(seq_of(request));
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
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(order.size() == 12);
  for (const SeenRequest& request : t.server.requests("/metrics/push"))
    CHECK(request.body == "body " + std::to_string(seq_of(request)));
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

TEST_CASE("a refused batch gets a second chance, then it is set aside as poison and the rest flows") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    if (seq_of(request) == 2) return ScriptedAnswer{400, R"({"error":{"message":"bad document"}})"};
    return ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 3; ++seq) t.outbox.add(seq);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons() == std::map<std::uint64_t, std::string>{{2, "poison"}});
  CHECK(t.server.requests("/metrics/push").size() == 4);
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

TEST_CASE("three refused batches in a row are the server's fault: the rest is kept until it takes one") {
  Fixture t;
  std::atomic<bool> broken{true};
  t.server.on_push = [&](const SeenRequest& request) {
    return broken ? ScriptedAnswer{400, ""} : ScriptedBackend::acknowledge(request);
  };
  for (std::uint64_t seq = 1; seq <= 6; ++seq) t.outbox.add(seq);
  t.start();
  // Two went as poison (two tries each); the third is tried again and again, and kept.
  REQUIRE(eventually([&] { return t.server.requests("/metrics/push").size() >= 12; }));
  CHECK(t.outbox.reasons() == std::map<std::uint64_t, std::string>{{1, "poison"}, {2, "poison"}});
  CHECK(t.outbox.waiting() == 4);
  broken = false;
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons().size() == 2);
  CHECK(t.outbox.acknowledged().size() == 4);
}

TEST_CASE("a batch too large for the server is set aside as such") {
  Fixture t;
  t.server.on_push = [](const SeenRequest& request) {
    return seq_of(request) == 1 ? ScriptedAnswer{413, ""} : ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1);
  t.outbox.add(2);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.reasons() == std::map<std::uint64_t, std::string>{{1, "too_large"}});
}

TEST_CASE("Retry-After is honoured") {
  Fixture t;
  std::vector<std::chrono::steady_clock::time_point> at;
  t.server.on_push = [&](const SeenRequest& request) {
    at.push_back(std::chrono::steady_clock::now());
    return at.size() == 1 ? ScriptedAnswer{429, "", {{"Retry-After", "1"}}} : ScriptedBackend::acknowledge(request);
  };
  t.outbox.add(1);
  t.start();
  REQUIRE(t.drained());
  t.delivery->stop(0);
  REQUIRE(at.size() == 2);
  CHECK(at[1] - at[0] >= std::chrono::milliseconds(990));
}

TEST_CASE("an outbox that fails for a while stops nothing") {
  Fixture t;
  t.outbox.add(1);
  t.outbox.fail(3);
  t.start();
  REQUIRE(t.drained());
  CHECK(t.outbox.acknowledged().size() == 1);
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
    const auto begin = std::chrono::steady_clock::now();
    t.delivery->stop(10'000);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK(t.outbox.waiting() == 1);
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
