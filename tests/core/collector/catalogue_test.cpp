#include "core/collector/catalogue.h"

#include "core/collector/description.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

#include <atomic>
#include <filesystem>

using namespace pganalytics;
using Catch::Contains;
using collector::Catalogue;
using collector::select_enabled;
namespace fs = std::filesystem;

namespace {

constexpr const char* kNoWorker = "/nowhere/pganalytics-worker";

void copy(const std::string& plugin, const testing::TemporaryFolder& folder) {
  fs::copy_file(TEST_PLUGIN_DIR "/" + plugin + ".so", folder / (plugin + ".so"));
}

config::CollectorConfig loaded(const std::string& text) {
  auto config = config::load_text(text, "c.toml");
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return std::move(config).value();
}

}  // namespace

TEST_CASE("every file of a folder is described, in the order of their ids, and the refused ones say why") {
  const Catalogue catalogue = Catalogue::of({TEST_PLUGIN_DIR}, WORKER_PATH);
  std::string before;
  for (const auto& entry : catalogue.entries()) {
    CAPTURE(entry.candidate.path);
    CHECK(before <= entry.candidate.id);
    before = entry.candidate.id;
    CHECK((entry.info.has_value() || entry.refused.has_value()));
    if (entry.info) CHECK(entry.info->id == entry.candidate.id);
  }
  CHECK(catalogue.entries().size() >= 5);
  CHECK_FALSE(catalogue.find("test_counter")->refused);
  CHECK(catalogue.find("test_noteless")->refused);
}

TEST_CASE("a file that is as it was is not described again; a new one is, and one that was refused") {
  const testing::TemporaryFolder folder;
  copy("test_counter", folder);
  copy("test_unruly", folder);
  const Catalogue first = Catalogue::of({folder.path()}, WORKER_PATH);
  REQUIRE_FALSE(first.find("test_counter")->refused);
  fs::remove(folder / "test_unruly.so");
  copy("test_steady", folder);
  const Catalogue second = Catalogue::of({folder.path()}, kNoWorker, &first);
  CHECK_FALSE(second.find("test_counter")->refused);
  CHECK(second.known().size() == 1);
  CHECK(second.find("test_unruly") == nullptr);
  CHECK_THAT(second.find("test_steady")->refused->message, Contains("worker"));
  CHECK_FALSE(Catalogue::of({folder.path()}, WORKER_PATH, &second).find("test_steady")->refused);
}

TEST_CASE("instances of one plugin are several settings of one file") {
  const Catalogue catalogue = Catalogue::of({TEST_PLUGIN_DIR}, WORKER_PATH);
  CHECK(catalogue.find("test_counter@two") == catalogue.find("test_counter"));
  const auto selected = select_enabled(loaded("[plugins.test_counter]\ninterval = \"5s\"\n"
                                              "[plugins.\"test_counter@two\"]\ninterval = \"7s\"\nmemory_max = \"32MiB\"\n"
                                              "[plugins.\"test_counter@off\"]\nenabled = false\n"),
                                       catalogue);
  REQUIRE(selected);
  REQUIRE(selected->settings.size() == 2);
  CHECK(selected->settings[0].instance == "test_counter");
  CHECK(selected->settings[1].instance == "test_counter@two");
  CHECK(selected->settings[1].info.id == "test_counter");
  CHECK(selected->settings[1].interval_ms == 7'000);
  CHECK(selected->settings[1].confinement.memory_max_bytes == 32 << 20);

  const auto unknown = select_enabled(loaded("[plugins.\"test_countr@two\"]"), catalogue);
  REQUIRE_FALSE(unknown);
  CHECK_THAT(unknown.error().hint, Contains("'test_counter@two'"));
  const auto refused = select_enabled(loaded("[plugins.\"test_noteless@two\"]"), catalogue);
  REQUIRE(refused);
  REQUIRE(refused->refused.size() == 1);
  CHECK_THAT(refused->refused[0].message, Contains("plugin test_noteless@two"));
}

TEST_CASE("a plugin that bears one instance in a process has at most one in a thread of the collector") {
  const Catalogue catalogue = Catalogue::of({TEST_PLUGIN_DIR}, WORKER_PATH);
  const std::string first = "[plugins.test_alone]\nisolation = \"thread\"\n", second = "[plugins.\"test_alone@two\"]\n";
  CHECK(select_enabled(loaded(first + second), catalogue));
  const auto both = select_enabled(loaded(first + second + "isolation = \"thread\"\n"), catalogue);
  REQUIRE_FALSE(both);
  CHECK(both.error().status == PGA_E_CONFIG);
  CHECK_THAT(both.error().message, Contains("c.toml:3: plugins.test_alone@two.isolation") && Contains("[plugins.test_alone]"));
  CHECK_THAT(both.error().hint, Contains("isolation"));
  // Of others there may be several.
  CHECK(select_enabled(loaded("[plugins.test_counter]\nisolation = \"thread\"\n[plugins.\"test_counter@two\"]\n"
                              "isolation = \"thread\"\n"),
                       catalogue));
}

TEST_CASE("a catalogue is made beside who asked for it") {
  const testing::TemporaryFolder folder;
  copy("test_counter", folder);
  std::atomic<int> calls{0};
  collector::Description description(host::find_plugins({folder.path()}), WORKER_PATH, {}, [&] { ++calls; });
  REQUIRE(testing::eventually([&] { return calls == 1; }));
  REQUIRE(description.ready());
  CHECK(description.take().known().size() == 1);
}
