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
namespace fs = std::filesystem;

namespace {

constexpr const char* kNoWorker = "/nowhere/pganalytics-worker";

void copy(const std::string& plugin, const testing::TemporaryFolder& folder) {
  fs::copy_file(TEST_PLUGIN_DIR "/" + plugin + ".so", folder / (plugin + ".so"));
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

TEST_CASE("a catalogue is made beside who asked for it") {
  const testing::TemporaryFolder folder;
  copy("test_counter", folder);
  std::atomic<int> calls{0};
  collector::Description description(host::find_plugins({folder.path()}), WORKER_PATH, {}, [&] { ++calls; });
  REQUIRE(testing::eventually([&] { return calls == 1; }));
  REQUIRE(description.ready());
  CHECK(description.take().known().size() == 1);
}
