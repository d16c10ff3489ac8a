// A host that fails, cancels and moves its clock at the test's word, shown on plugins that cope and on plugins that do not.
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <pganalytics/plugin.hpp>
#include <pganalytics/testhost.hpp>
#include <thread>

#include "tests/support/catch.h"

namespace {

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::CollectOptions;
using testing::FakeHost;
using testing::Fault;
using testing::Service;

// Does what its configuration says, well or badly.
class Worker : public Collector {
 public:
  Worker(Host host, std::string_view) : host_(host) {}
  ~Worker() override {
    if (late_.joinable()) late_.join();
  }

  Outcome configure(std::string_view config_json, bool) override {
    what_ = std::string(config_json);
    return {};
  }

  Outcome collect(Run& run) override {
    if (what_ == "deaf") return deaf(run);
    if (what_ == "wait") return wait(run);
    if (what_ == "poll") return poll_cancelled(run);
    if (what_ == "read fd") return read_fd(run);
    if (what_ == "close fd") return close_fd(run);
    if (what_ == "other thread") return other_thread();
    if (what_ == "throw") throw 1;
    if (what_ == "ask") return ask();
    for (int i = 0; i < 3; ++i) PGA_CHECK(run.emit(document(run)));
    return host_.state_set("cursor", "3");
  }

  void cancel() override { ++cancels; }

  static inline std::atomic<int> cancels{0};

 private:
  static std::string document(const Run& run) {
    return std::string(
        JsonWriter().begin_object().member("type", "worker").member("timestamp", run.timestamp()).end_object().text());
  }
  // Goes on whatever emit() says.
  static Outcome deaf(Run& run) {
    for (int i = 0; i < 3; ++i) (void)run.emit(document(run));
    return {};
  }
  static Outcome wait(const Run& run) {
    pollfd cancelled{run.cancel_fd(), POLLIN, 0};
    poll(&cancelled, 1, 10'000);
    return Error{run.cancelled() ? PGA_E_DEADLINE : PGA_E_FAIL, "", "woken", "", 0};
  }
  static Outcome poll_cancelled(const Run& run) {
    if (run.cancel_fd() != -1) return Error{PGA_E_FAIL, "", "there is a cancel_fd", "", 0};
    while (!run.cancelled()) std::this_thread::yield();
    return Error{PGA_E_DEADLINE, "", "woken", "", 0};
  }
  static Outcome read_fd(const Run& run) {
    (void)wait(run);
    std::uint64_t count = 0;
    (void)!read(run.cancel_fd(), &count, sizeof count);
    return {};
  }
  static Outcome close_fd(const Run& run) {
    close(run.cancel_fd());
    return {};
  }
  Outcome other_thread() {
    std::thread([this] { (void)host_.state_set("cursor", "1"); }).join();
    return {};
  }
  Outcome ask() {
    PGA_TRY(const auto secret, host_.secret_get("password"));
    PGA_TRY(const auto name, host_.info_get("host.name"));
    PGA_TRY(const auto cursor, host_.state_get("cursor"));
    host_.info(secret.value_or("none") + " " + name.value_or("none") + " " + cursor.value_or("none"));
    return {};
  }

  Host host_;
  std::string what_;
  std::thread late_;
};

constexpr PluginFacts kFacts{"1.0.0", "test", "does as told", "Apache-2.0", "", "", "{}", "{}", 0, 0, 1000, 1000};

constexpr std::int64_t kNoon = 1'770'120'000'000'000'000;

}  // namespace

PGA_DEFINE_PLUGIN(Worker, "worker", (kFacts))

TEST_CASE("emit() fails at the call the test names, with the status it names, and the plugin passes it up") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  for (const pga_status status : {PGA_E_LIMIT, PGA_E_FAIL, PGA_E_DEADLINE}) {
    for (std::uint32_t call = 1; call <= 3; ++call) {
      CAPTURE(status, call);
      host.faults = {{Service::kEmit, call, status}};
      const auto result = instance.collect();
      CHECK(result.returned == status);
      CHECK(result.status == status);
      CHECK(result.documents.size() == call - 1);
      CHECK(result.emits_after_error == 0);
      CHECK(host.state.empty());
    }
  }
  host.faults.clear();
  CHECK(instance.collect().status == PGA_OK);
  CHECK(host.state.at("cursor") == "3");
}

TEST_CASE("a plugin that does not look at emit()'s answer is found out") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("deaf"));
  host.faults = {{Service::kEmit, 2, PGA_E_LIMIT, true}};
  const auto result = instance.collect();
  CHECK(result.returned == PGA_OK);
  CHECK(result.status == PGA_E_LIMIT);
  CHECK(result.emits == 3);
  CHECK(result.emits_after_error == 1);
}

TEST_CASE("a status of a later minor counts as PGA_E_FAIL") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  host.faults = {{Service::kEmit, 1, -77}};
  const auto result = instance.collect();
  CHECK(result.returned == -77);
  CHECK(result.status == PGA_E_FAIL);
}

TEST_CASE("every service can fail, and is counted anew in each call") {
  FakeHost host;
  host.secrets["password"] = "hunter2";
  host.state["cursor"] = "42";
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("ask"));
  for (const Service service : {Service::kSecretGet, Service::kInfoGet, Service::kStateGet}) {
    host.faults = {{service, 1, PGA_E_FAIL}};
    CHECK(instance.collect().status == PGA_E_FAIL);
    CHECK(instance.collect().status == PGA_E_FAIL);
  }
  REQUIRE(instance.configure(""));
  host.faults = {{Service::kStateSet, 1, PGA_E_LIMIT}};
  CHECK(instance.collect().status == PGA_E_LIMIT);
  CHECK(host.state.at("cursor") == "42");
}

TEST_CASE("a value that has grown since, or is gone, is asked for again or done without") {
  FakeHost host;
  host.secrets["password"] = "hunter2";
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("ask"));
  host.faults = {{Service::kSecretGet, 1, PGA_E_TOOSMALL}, {Service::kInfoGet, 1, PGA_E_NOTFOUND}};
  CHECK(instance.collect().status == PGA_OK);
  REQUIRE(host.log.size() == 1);
  CHECK(host.log[0].message == "hunter2 none none");
  CHECK(host.log[0].level == PGA_LOG_INFO);
}

TEST_CASE("log lines below the host's level are not kept") {
  FakeHost host;
  host.log_level = PGA_LOG_WARN;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("ask"));
  CHECK(instance.collect().status == PGA_OK);
  CHECK(host.log.empty());
}

TEST_CASE("a run is cancelled at its n-th document, and the plugin's cancel() is called") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  Worker::cancels = 0;
  CollectOptions options;
  options.cancel_at_emit = 2;
  const auto result = instance.collect(options);
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.cancelled);
  CHECK(result.documents.size() == 1);
  CHECK(Worker::cancels == 1);
  CHECK(instance.collect().status == PGA_OK);
}

TEST_CASE("a run is cancelled from another thread after a while, or before it began") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("wait"));
  CollectOptions options;
  options.cancel_after = 5ms;
  const auto result = instance.collect(options);
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.took >= 5ms);
  CHECK(result.after_cancel < result.took);

  options = {};
  options.timeout = 0ms;
  CHECK(instance.collect(options).cancelled);
  instance.cancel();
  instance.cancel();
  CHECK(instance.collect().cancelled);
  CHECK(host.violations.empty());
}

TEST_CASE("a host without cancel_fd is asked") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("poll"));
  CollectOptions options;
  options.cancel_fd = false;
  options.timeout = 5ms;
  CHECK(instance.collect(options).status == PGA_E_DEADLINE);
}

TEST_CASE("with a virtual clock the nominal times are the test's") {
  FakeHost host;
  host.set_time(kNoon);
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.collect().documents.at(0).find("2026-02-03T12:00:00.000Z") != std::string::npos);
  host.advance(60s);
  CHECK(instance.collect().documents.at(0).find("2026-02-03T12:01:00.000Z") != std::string::npos);
  host.advance(-3600s);
  CHECK(instance.collect().documents.at(0).find("2026-02-03T11:01:00.000Z") != std::string::npos);
}

TEST_CASE("a host that is slow to take documents carries the virtual clock past the deadline") {
  FakeHost host;
  host.set_time(kNoon);
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CollectOptions options;
  options.timeout = 10s;
  options.emit_takes = 4s;
  const auto result = instance.collect(options);
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.documents.size() == 2);
  CHECK(result.took < 4s);
}

TEST_CASE("a waiting run is cancelled when the virtual clock reaches its deadline, not before") {
  FakeHost host;
  host.set_time(kNoon);
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure("wait"));
  std::thread other([&] {
    while (!instance.collecting()) std::this_thread::yield();
    host.advance(9s);
    host.advance(1s);
  });
  const auto result = instance.collect();
  other.join();
  CHECK(result.status == PGA_E_DEADLINE);
  CHECK(result.took < 9s);
}

TEST_CASE("a host that dies before it commits leaves the state as it was") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CollectOptions options;
  options.commit = false;
  CHECK(instance.collect(options).status == PGA_OK);
  CHECK(host.state.empty());
}

TEST_CASE("what plugin.h forbids is seen") {
  const auto seen = [](const char* what) {
    FakeHost host;
    auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
    REQUIRE(instance.configure(what));
    CollectOptions options;
    options.timeout = 20ms;
    (void)instance.collect(options);
    REQUIRE(instance.configure("ask"));
    CHECK(instance.collect().status == PGA_OK);
    return host.violations;
  };
  CHECK(seen("read fd") == std::vector<std::string>{"cancel_fd was read by the plugin"});
  CHECK(seen("close fd") == std::vector<std::string>{"cancel_fd was closed by the plugin"});
  CHECK(seen("other thread") == std::vector<std::string>{"state_set() was called on a thread that is not the host's"});
}
