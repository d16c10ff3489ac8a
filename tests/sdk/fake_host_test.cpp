// The fake host keeps the promises of plugin.h, shown on a plugin small enough to read.
#include <poll.h>

#include <pganalytics/plugin.hpp>
#include <pganalytics/testhost.hpp>
#include <thread>

#include "tests/support/catch.h"

namespace {

using namespace pganalytics;
using testing::CollectOptions;
using testing::FakeHost;

// Does what its configuration's "do" says.
class Obedient : public Collector {
 public:
  Obedient(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override {
    if (config_json == "bad") return Error{PGA_E_CONFIG, "config.bad", "key 'do': unknown", "", 0};
    if (!dry_run) what_ = std::string(config_json);
    return {};
  }

  Outcome collect(Run& run) override {
    if (what_ == "wait") {
      pollfd cancelled{run.cancel_fd(), POLLIN, 0};
      poll(&cancelled, 1, 10'000);
      return Error{run.cancelled() ? PGA_E_DEADLINE : PGA_E_FAIL, "", "woken", "", 0};
    }
    PGA_TRY(auto before, host_.state_get("runs"));
    PGA_CHECK(host_.state_set("runs", before.value_or("") + "x"));
    PGA_TRY(auto name, host_.info_get("host.name"));
    host_.info("running on " + name.value_or("nothing"));
    if (what_ == "say who") {
      PGA_TRY(auto instance, host_.info_get("plugin.instance"));
      host_.info("instance " + instance.value_or("nothing"));
    }
    if (what_ == "fail") return Error{PGA_E_TRANSIENT, "target.away", "the target is away", "", 250};
    if (what_ == "invalid") return run.emit(R"({"type":"obedient","timestamp":"2026-02-03T04:05:06.789Z","size_bytes":"much"})");
    if (what_ == "no JSON") {
      (void)run.emit("{");  // a plugin that does not look at the answer
      return {};
    }
    return run.emit(
        JsonWriter().begin_object().member("type", "obedient").member("timestamp", run.timestamp()).end_object().text());
  }

 private:
  Host host_;
  std::string what_;
};

constexpr char kSchema[] = R"({"type":"object","properties":{"size_bytes":{"type":"integer","x-kind":"gauge","x-unit":"By"}}})";
constexpr PluginFacts kObedientFacts{"1.0.0", "test", "does as told", "Apache-2.0", "", "", "{}", kSchema, 0, 0, 1000, 1000};

}  // namespace

PGA_DEFINE_PLUGIN(Obedient, "obedient", (kObedientFacts))

TEST_CASE("a good run gives its documents and commits its state") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.created());
  CollectOptions options;
  options.scheduled_unix_ns = 1'770'091'445'678'000'000;
  const auto result = instance.collect(options);
  CHECK(result.status == PGA_OK);
  REQUIRE(result.documents.size() == 1);
  CHECK(result.documents[0] == R"({"type":"obedient","timestamp":"2026-02-03T04:04:05.678Z"})");
  CHECK(host.state == std::map<std::string, std::string>{{"runs", "x"}});
  REQUIRE(host.log.size() == 1);
  CHECK(host.log[0].message == "running on \"testhost\"");
  CHECK(instance.collect().status == PGA_OK);
  CHECK(host.state.at("runs") == "xx");
}

TEST_CASE("an instance is told what tells it from others of its plugin") {
  const auto told = [](FakeHost& host, std::string_view name) {
    auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR), name);
    REQUIRE(instance.configure("say who"));
    REQUIRE(instance.collect().status == PGA_OK);
    return host.log.back().message;
  };
  FakeHost host;
  CHECK(told(host, "") == "instance \"\"");
  CHECK(told(host, "obedient") == "instance \"\"");
  CHECK(told(host, "obedient@prod2") == "instance \"prod2\"");
  host.facts["plugin.instance"] = "\"as set\"";
  CHECK(told(host, "obedient@prod2") == "instance \"as set\"");
}

TEST_CASE("a failed run drops its state and tells why") {
  FakeHost host;
  host.state["runs"] = "x";
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("fail"));
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_TRANSIENT);
  CHECK(result.error_code == "target.away");
  CHECK(result.error_message == "the target is away");
  CHECK(result.retry_after_ms == 250);
  CHECK(host.state.at("runs") == "x");
}

TEST_CASE("a document that the real host would refuse fails the run") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  for (const char* what : {"invalid", "no JSON"}) {
    INFO(what);
    REQUIRE(instance.configure(what));
    const auto result = instance.collect();
    CHECK(result.status == PGA_E_FAIL);
    CHECK(result.error_code == "document.invalid");
    CHECK(host.state.empty());
  }
}

TEST_CASE("a refused configuration leaves the one before in force") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("fail"));
  const auto refused = instance.configure("bad");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_CONFIG);
  REQUIRE(instance.configure("something else", true));
  CHECK(instance.collect().status == PGA_E_TRANSIENT);
}

TEST_CASE("a waiting run is woken by cancel and by its deadline") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("wait"));
  CollectOptions soon;
  soon.timeout = std::chrono::milliseconds(20);
  CHECK(instance.collect(soon).status == PGA_E_DEADLINE);
  std::thread other([&] { instance.cancel(); });
  CHECK(instance.collect().status == PGA_E_DEADLINE);
  other.join();
}

TEST_CASE("too large a document is refused as the limit it breaks") {
  FakeHost host;
  host.max_document_bytes = 10;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_LIMIT);
  CHECK(result.documents.empty());
}

TEST_CASE("a plugin that refuses the host is no instance") {
  FakeHost host;
  auto instance = host.create(nullptr);
  CHECK_FALSE(instance.created());
  CHECK(instance.collect().status == PGA_E_UNSUPPORTED);
}
