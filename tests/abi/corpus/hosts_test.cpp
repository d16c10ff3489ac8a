// Plugins of 1.0, of a later minor and of today on fake hosts: as old as 1.0, as new as tomorrow's. All in this process, with
// guard pages behind every table. HOST_OF_NEXT_MINOR: compiled, fake host and all, with the header of the next minor.
#include <dlfcn.h>
#include <sys/stat.h>

#include <pganalytics/testhost.hpp>
#include <string>
#include <vector>

#include "tests/support/catch.h"

namespace {

using namespace pganalytics;
using namespace std::chrono_literals;
using testing::CollectOptions;
using testing::FakeHost;
using testing::Tables;

#ifdef HOST_OF_NEXT_MINOR
constexpr bool kNextMinor = true;
#else
constexpr bool kNextMinor = false;
#endif

const pga_plugin* load(const std::string& path, std::uint32_t host_minor) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  INFO((library == nullptr ? dlerror() : ""));
  REQUIRE(library != nullptr);
  using Entry = const pga_plugin* (*)(std::uint32_t);
  const auto entry = reinterpret_cast<Entry>(dlsym(library, PGA_ENTRY_SYMBOL));
  REQUIRE(entry != nullptr);
  CHECK(entry(host_minor) == entry(host_minor));
  return entry(host_minor);
}

std::string corpus(const std::string& id) { return std::string(TEST_PLUGIN_DIR) + "/" + id + ".so"; }

// What a host says of itself with these tables.
std::uint32_t minor_of(Tables tables) {
  if (tables == Tables::kOldest) return 0;
  return tables == Tables::kFuture ? 9999 : PGA_ABI_MINOR;
}

void set_up(FakeHost& host, Tables tables) {
  host.tables = tables;
  host.abi_minor = minor_of(tables);
  host.hop_threads = true;
  host.secrets["password"] = "hunter2";
}

}  // namespace

TEST_CASE("a plugin of 1.0 works on every host") {
  const Tables tables = GENERATE(Tables::kOldest, Tables::kCurrent, Tables::kFuture);
  FakeHost host;
  set_up(host, tables);
  auto instance = host.create(load(corpus("abi_plain"), minor_of(tables)));
  REQUIRE(instance.created());
  REQUIRE(instance.configure("{}", true));
  REQUIRE(instance.configure("{}"));
  CollectOptions unheard_of;
  unheard_of.reason = 77;
  CHECK(instance.collect(unheard_of).status == PGA_OK);
  const auto result = instance.collect();
  CHECK(result.status == PGA_OK);
  CHECK(result.documents.at(0).find(R"("count":2,"secret_bytes":7})") != std::string::npos);
  CHECK(host.state.at("count") == "2");

  REQUIRE(instance.configure(R"({"mode":"fail"})"));
  const auto failed = instance.collect();
  CHECK(failed.status == PGA_E_TRANSIENT);
  CHECK(failed.error_message == "told to fail");
  REQUIRE(instance.configure(R"({"mode":"wait"})"));
  CollectOptions soon;
  soon.timeout = 10ms;
  CHECK(instance.collect(soon).status == PGA_E_DEADLINE);
  CHECK(instance.configure(std::string(100, ' ')).error().status == PGA_E_CONFIG);
  CHECK(host.violations.empty());
}

TEST_CASE("a plugin of the next minor takes what a host has, and does without the rest") {
  const Tables tables = GENERATE(Tables::kOldest, Tables::kCurrent);
  FakeHost host;
  set_up(host, tables);
  auto instance = host.create(load(corpus("abi_eager"), minor_of(tables)));
  REQUIRE(instance.created());
  REQUIRE(instance.configure("{}"));
  const auto result = instance.collect();
  CHECK(result.status == PGA_OK);
  const std::string found = kNextMinor && tables == Tables::kCurrent ? R"("host_grown":1,"run_grown":1,"error_grown":1})"
                                                                     : R"("host_grown":0,"run_grown":0,"error_grown":0})";
  CHECK(result.documents.at(0).find(found) != std::string::npos);
  REQUIRE(host.log.size() == 1);
  CHECK(host.log[0].level == PGA_LOG_DEBUG);  // its level is of a later minor: the nearest known one

  REQUIRE(instance.configure(R"({"mode":"busy"})"));
  CHECK(instance.collect().status == PGA_E_FAIL);
  CHECK(host.violations.empty());
}

TEST_CASE("a plugin in C++ over 1.0 works on every host") {
  const Tables tables = GENERATE(Tables::kOldest, Tables::kCurrent, Tables::kFuture);
  FakeHost host;
  set_up(host, tables);
  auto instance = host.create(load(corpus("abi_comfort"), minor_of(tables)));
  REQUIRE(instance.created());
  CHECK(instance.configure("").error().message == "no configuration\nHINT: Write {}.");
  REQUIRE(instance.configure("{}"));
  CHECK(instance.collect().status == PGA_OK);
  CHECK(instance.collect().documents.at(0).find("\"runs\":2}") != std::string::npos);
  host.faults = {{testing::Service::kStateGet, 1, PGA_E_TOOSMALL}, {testing::Service::kStateSet, 1, PGA_E_LIMIT}};
  CHECK(instance.collect().status == PGA_E_LIMIT);
  CHECK(host.state.at("runs") == "xx");
  CHECK(host.violations.empty());
}

TEST_CASE("a host refuses who wants a later one, or needs what it does not know") {
  FakeHost host;
  host.tables = GENERATE(Tables::kOldest, Tables::kCurrent);
  const bool late_enough = kNextMinor && host.tables == Tables::kCurrent;
  auto demanding = host.create(load(corpus("abi_demanding"), PGA_ABI_MINOR));
  CHECK(static_cast<bool>(demanding.created()) == late_enough);
  if (!late_enough) {
    CHECK(demanding.created().error().code == "plugin.abi_minor");
    CHECK(demanding.created().error().message.find("it wants plugin ABI 1.1, this host has 1.0") == 0);
  }
  auto unreachable = host.create(load(corpus("abi_unreachable"), PGA_ABI_MINOR));
  REQUIRE_FALSE(unreachable.created());
  CHECK(unreachable.created().error().code == "plugin.abi_minor");
  auto needy = host.create(load(corpus("abi_needy"), PGA_ABI_MINOR));
  REQUIRE_FALSE(needy.created());
  CHECK(needy.created().error().code == "plugin.needs");
}

TEST_CASE("today's plugins are made by every host") {
  const Tables tables = GENERATE(Tables::kOldest, Tables::kCurrent, Tables::kFuture);
  for (const char* const path : {TODAYS_PLUGINS}) {
    CAPTURE(path);
    FakeHost host;
    set_up(host, tables);
    auto instance = host.create(load(path, minor_of(tables)));
    CHECK(instance.created());
    CHECK(instance.extension("acme.trace/1") == nullptr);
    CHECK(host.violations.empty());
  }
}

TEST_CASE("today's plugins that need no server run on every host") {
  const Tables tables = GENERATE(Tables::kOldest, Tables::kCurrent, Tables::kFuture);
  std::vector<std::string> paths{RUNNING_PLUGINS};
  struct stat there {};
  if (stat(RUST_PLUGIN, &there) == 0) paths.emplace_back(RUST_PLUGIN);  // where there is a rustc
  for (const std::string& path : paths) {
    CAPTURE(path);
    FakeHost host;
    set_up(host, tables);
    auto instance = host.create(load(path, minor_of(tables)));
    REQUIRE(instance.created());
    REQUIRE(instance.configure("{}"));
    for (int run = 0; run < 3; ++run) {
      const auto result = instance.collect();
      INFO(result.error_message);
      CHECK(result.status == PGA_OK);
      CHECK(result.documents.size() == 1);
    }
    CHECK(host.violations.empty());
  }
}
