// What the fake host lends is laid out so that a plugin which oversteps shows. Plugins in plain C style, each wrong in one way;
// those that are to crash do so in a child process.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <pganalytics/testhost.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.h"

namespace {

using namespace pganalytics;
using testing::CollectOptions;
using testing::FakeHost;
using testing::Tables;

// A plugin whose calls are the test's.
struct Script {
  std::function<pga_status(const pga_host*, const char*, pga_error*)> create = [](auto...) { return PGA_OK; };
  std::function<pga_status(pga_str, pga_error*)> configure = [](auto...) { return PGA_OK; };
  std::function<pga_status(const pga_run*, pga_error*)> collect = [](auto...) { return PGA_OK; };
  std::function<void()> destroy = [] {};
};
Script script;

pga_status create(const pga_host* host, const char* instance, void**, pga_error* error) {
  return script.create(host, instance, error);
}
pga_status configure(void*, pga_str json, std::uint32_t, pga_error* error) { return script.configure(json, error); }
pga_status collect(void*, const pga_run* run, pga_error* error) { return script.collect(run, error); }
void destroy(void*) { script.destroy(); }

constexpr pga_descriptor described(std::uint32_t flags) {
  return {
      sizeof(pga_descriptor), 0, "scripted", "", "1.0.0", "test", "scripted", "Apache-2.0", "", "{}", "{}", 0, flags, 1000, 1000};
}
constexpr pga_descriptor kDescriptor = described(0), kAffineDescriptor = described(PGA_F_AFFINE);
constexpr pga_plugin plugin_with(const pga_descriptor& descriptor) {
  return {sizeof(pga_plugin), PGA_ABI_MINOR, &descriptor, create, configure, collect, nullptr, destroy, nullptr};
}
constexpr pga_plugin kPlugin = plugin_with(kDescriptor), kAffinePlugin = plugin_with(kAffineDescriptor);

constexpr char kGood[] = R"({"type":"scripted","timestamp":"2026-02-03T04:05:06.789Z"})";

// Does `body` end its process by a fault in memory? (A sanitizer turns the signal into an exit of its own.)
bool faults(const std::function<void()>& body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // not the test framework's
    std::signal(SIGBUS, SIG_DFL);
    std::signal(SIGABRT, SIG_DFL);
    body();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) != 0;
}

// Read as the machine does, past what the compiler knows of the object.
template <class T>
T read_past(const void* from, std::size_t offset) {
  volatile const T* const at = reinterpret_cast<const T*>(static_cast<const char*>(from) + offset);
  return *at;
}
template <class T>
void write_to(const void* where, T value) {
  *reinterpret_cast<volatile T*>(reinterpret_cast<std::uintptr_t>(where)) = value;
}

}  // namespace

TEST_CASE("reading past a struct or a text faults") {
  script = {};
  SECTION("the host table") {
    script.create = [](const pga_host* host, auto...) { return (void)read_past<char>(host, host->struct_size), PGA_OK; };
  }
  SECTION("the instance's name") {
    script.create = [](const pga_host*, const char* name, auto...) { return (void)read_past<char>(name, 9), PGA_OK; };
  }
  SECTION("the configuration, which has no NUL") {
    script.configure = [](pga_str json, auto...) { return (void)read_past<char>(json.data, json.len), PGA_OK; };
  }
  SECTION("the run") {
    script.collect = [](const pga_run* run, auto...) { return (void)read_past<char>(run, run->struct_size), PGA_OK; };
  }
  SECTION("the error") {
    script.collect = [](auto, pga_error* error) { return std::memset(error->code, 'x', sizeof *error), PGA_E_FAIL; };
  }
  const auto life = [] {
    FakeHost host;
    auto instance = host.create(&kPlugin);
    (void)instance.configure("{}");
    (void)instance.collect();
  };
  CHECK(faults(life));
}

TEST_CASE("tables and texts of the host cannot be written") {
  script = {};
  SECTION("the host table") {
    script.create = [](const pga_host* host, auto...) { return write_to<void*>(&host->ctx, nullptr), PGA_OK; };
  }
  SECTION("the configuration") {
    script.configure = [](pga_str json, auto...) { return write_to<char>(json.data, ' '), PGA_OK; };
  }
  SECTION("the run") {
    script.collect = [](const pga_run* run, auto...) { return write_to<std::uint32_t>(&run->reason, 7), PGA_OK; };
  }
  const auto life = [] {
    FakeHost host;
    auto instance = host.create(&kPlugin);
    (void)instance.configure("{}");
    (void)instance.collect();
  };
  CHECK(faults(life));
}

TEST_CASE("a text kept after the call reads as poison") {
  script = {};
  static pga_str kept;
  static const char* kept_name = nullptr;
  script.create = [](const pga_host*, const char* name, auto...) { return kept_name = name, PGA_OK; };
  script.configure = [](pga_str json, auto...) { return kept = json, PGA_OK; };
  script.collect = [](const pga_run* run, auto...) { return run->emit(run, kept); };
  FakeHost host;
  auto instance = host.create(&kPlugin);
  CHECK(static_cast<unsigned char>(kept_name[0]) == 0xA5);
  REQUIRE(instance.configure(kGood));
  const auto result = instance.collect();
  CHECK(result.returned == PGA_E_FAIL);  // 0xA5 is no JSON

  host.poison = false;
  auto kinder = host.create(&kPlugin);
  REQUIRE(kinder.configure(kGood));
  CHECK(kinder.collect().status == PGA_OK);
}

TEST_CASE("a run kept after collect() is seen, and an error kept reads as poison") {
  script = {};
  static const pga_run* kept = nullptr;
  static pga_error* kept_error = nullptr;
  script.collect = [](const pga_run* run, pga_error* error) { return kept = run, kept_error = error, PGA_OK; };
  FakeHost host;
  auto instance = host.create(&kPlugin);
  CHECK(instance.collect().status == PGA_OK);
  CHECK(kept->emit(kept, {kGood, sizeof kGood - 1}) == PGA_E_FAIL);
  CHECK(kept->cancelled(kept) != 0);
  CHECK(kept->sequence == 0xA5A5A5A5A5A5A5A5);
  CHECK(kept_error->retry_after_ms == 0xA5A5A5A5);
  CHECK(host.violations ==
        std::vector<std::string>{"emit() was called with a run that is over", "cancelled() was called with a run that is over"});
}

TEST_CASE("a host of 1.0 ends where 1.0 ended") {
  script = {};
  static std::uint32_t host_bytes = 0, run_bytes = 0, error_bytes = 0, minor = 99;
  script.create = [](const pga_host* host, auto...) { return host_bytes = host->struct_size, minor = host->abi_minor, PGA_OK; };
  script.collect = [](const pga_run* run, pga_error* error) {
    return run_bytes = run->struct_size, error_bytes = error->struct_size, PGA_OK;
  };
  FakeHost host;
  host.tables = Tables::kOldest;
  host.abi_minor = 7;
  auto instance = host.create(&kPlugin);
  CHECK(instance.collect().status == PGA_OK);
  CHECK(host_bytes == 88);
  CHECK(run_bytes == 72);
  CHECK(error_bytes == 520);
  CHECK(minor == 0);
}

TEST_CASE("a later host has 0xA5 where this header knows nothing") {
  script = {};
  static int known_tails = 0;
  static const auto tail_is_strange = [](const void* table, std::uint32_t struct_size, std::size_t known) {
    if (struct_size <= known) return 0;
    for (std::size_t i = known; i < struct_size; ++i) {
      if (read_past<unsigned char>(table, i) != 0xA5) return 0;
    }
    return 1;
  };
  script.create = [](const pga_host* host, auto...) {
    return known_tails += tail_is_strange(host, host->struct_size, sizeof *host), PGA_OK;
  };
  script.collect = [](const pga_run* run, pga_error* error) {
    known_tails += tail_is_strange(run, run->struct_size, sizeof *run);
    known_tails += tail_is_strange(error, error->struct_size, sizeof *error);
    return run->emit(run, {kGood, sizeof kGood - 1});
  };
  FakeHost host;
  host.tables = Tables::kFuture;
  auto instance = host.create(&kPlugin);
  CHECK(instance.collect().status == PGA_OK);
  CHECK(known_tails == 3);
}

TEST_CASE("a host that hops makes each call on another thread, but for who is affine") {
  script = {};
  static std::vector<std::thread::id> threads;
  static thread_local int of_this_thread = 0;
  static int remembered = 0;
  threads.clear();
  remembered = 0;
  script.create = [](auto...) { return of_this_thread = 1, PGA_OK; };
  script.collect = [](auto...) { return threads.push_back(std::this_thread::get_id()), remembered += of_this_thread, PGA_OK; };
  FakeHost host;
  host.hop_threads = true;
  SECTION("hopping") {
    of_this_thread = 0;
    auto instance = host.create(&kPlugin);
    CHECK(instance.collect().status == PGA_OK);
    CHECK(instance.collect().status == PGA_OK);
    CHECK(remembered == 0);
    for (const auto thread : threads) CHECK(thread != std::this_thread::get_id());
  }
  SECTION("affine") {
    auto instance = host.create(&kAffinePlugin);
    CHECK(instance.collect().status == PGA_OK);
    CHECK(remembered == 1);
    CHECK(threads == std::vector<std::thread::id>{std::this_thread::get_id()});
  }
}

TEST_CASE("an exception across the ABI is caught and seen") {
  script = {};
  script.collect = [](auto...) -> pga_status { throw std::string("no"); };
  FakeHost host;
  host.hop_threads = GENERATE(false, true);
  auto instance = host.create(&kPlugin);
  CHECK(instance.collect().status == PGA_E_FAIL);
  CHECK(host.violations == std::vector<std::string>{"collect() threw an exception across the ABI"});
}

TEST_CASE("an error whose text has no end is read no further, and seen") {
  script = {};
  script.collect = [](auto, pga_error* error) {
    return std::memset(error->message, 'x', sizeof error->message), PGA_E_TRANSIENT;
  };
  FakeHost host;
  auto instance = host.create(&kPlugin);
  CHECK(instance.collect().error_message == std::string(480, 'x'));
  CHECK(host.violations == std::vector<std::string>{"collect() left a text in pga_error without its NUL"});
}

TEST_CASE("a plugin that the real host refuses is refused, before any call") {
  script = {};
  static bool called = false;
  called = false;
  script.create = [](auto...) { return called = true, PGA_OK; };
  pga_descriptor descriptor = kDescriptor;
  pga_plugin plugin = kPlugin;
  plugin.descriptor = &descriptor;
  std::string code;
  SECTION("it wants a later minor") {
    descriptor.min_host_minor = PGA_ABI_MINOR + 1;
    code = "plugin.abi_minor";
  }
  SECTION("it needs what the host does not know") {
    descriptor.needs = 1u << 31;
    code = "plugin.needs";
  }
  SECTION("a function is missing") {
    plugin.destroy = nullptr;
    code = "plugin.table";
  }
  SECTION("no descriptor") {
    plugin.descriptor = nullptr;
    code = "plugin.table";
  }
  FakeHost host;
  auto instance = host.create(&plugin);
  REQUIRE_FALSE(instance.created());
  CHECK(instance.created().error().code == code);
  CHECK_FALSE(called);
}

TEST_CASE("an unknown flag is ignored") {
  script = {};
  const pga_descriptor descriptor = described(1u << 31);
  const pga_plugin plugin = plugin_with(descriptor);
  FakeHost host;
  auto instance = host.create(&plugin);
  CHECK(instance.created());
}

TEST_CASE("services are for the calls of the host") {
  script = {};
  static const pga_host* table = nullptr;
  script.create = [](const pga_host* host, auto...) { return table = host, PGA_OK; };
  script.destroy = [] {
    char buffer[8];
    std::size_t len = sizeof buffer;
    CHECK(table->state_get(table, "cursor", buffer, &len) == PGA_E_FAIL);
  };
  FakeHost host;
  {
    auto instance = host.create(&kPlugin);
    CHECK(table->get_extension(table, "acme.trace/1") == nullptr);
    static const int kTrace = 1;
    host.extensions["acme.trace/1"] = &kTrace;
    CHECK(table->get_extension(table, "acme.trace/1") == &kTrace);
    CHECK(table->get_extension(table, "acme.trace/1x") == nullptr);
  }
  CHECK(host.violations == std::vector<std::string>{"state_get() was called outside create(), configure() and collect()"});
}
