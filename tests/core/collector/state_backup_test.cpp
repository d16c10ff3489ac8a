#include "core/collector/state_backup.h"

#include "core/spool/spool.h"
#include "tests/core/spool/faulty_vfs.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>

using namespace pganalytics;
using collector::StateBackup;
using testing::eventually;
using testing::must;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kSoon = 60'000, kNoFloor = 0;

struct State {
  testing::TemporaryFolder folder;
  std::unique_ptr<spool::Spool> spool;

  State() {
    spool::SpoolOptions options;
    options.keep_free_bytes = 0;
    spool = must(spool::Spool::open(folder.path(), options));
    spool::SealedRun run;
    run.plugin = "disk";
    run.documents = {R"({"type":"disk","timestamp":"2026-02-03T04:05:06.789Z"})"};
    must(spool->seal(std::move(run)));
  }
  // A copy that was made so long ago.
  [[nodiscard]] std::string old_copy(const std::string& name, std::chrono::minutes age) const {
    fs::create_directories(folder / "backup");
    const std::string path = folder / ("backup/" + name);
    std::ofstream(path) << "old";
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
  }
  [[nodiscard]] std::size_t copies() const {
    std::size_t count = 0;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(folder / "backup", absent)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }
};

}  // namespace

TEST_CASE("a copy is made when the newest is old enough, and the two newest are kept") {
  const State state;
  const std::string first = state.old_copy("spool-20200101T000000Z.db", std::chrono::minutes(300));
  const std::string second = state.old_copy("spool-20200102T000000Z.db", std::chrono::minutes(200));
  StateBackup backup(state.folder.path());
  CHECK(StateBackup::newest(state.folder.path()) == second);
  CHECK(backup.wait_ms(kSoon) == 0);
  REQUIRE(eventually([&] {
    backup.turn(kSoon, kNoFloor);
    return StateBackup::newest(state.folder.path()) != second && backup.wait_ms(kSoon) > 1'000;
  }));
  CHECK_FALSE(fs::exists(first));
  CHECK(fs::exists(second));
  CHECK(state.copies() == StateBackup::kKept);
  CHECK(backup.wait_ms(kSoon) <= kSoon);
}

TEST_CASE("no copy before its time, and none at all if nobody wants one") {
  const State state;
  {
    StateBackup fresh(state.folder.path());
    CHECK(fresh.wait_ms(kSoon) > 50'000);
    CHECK(fresh.wait_ms(86'400'000) > 250'000);  // the first comes earlier than a day
    CHECK(fresh.wait_ms(86'400'000) <= 300'000);
    CHECK(fresh.wait_ms(0) > 1'000'000'000);
    fresh.turn(kSoon, kNoFloor);
    fresh.turn(0, kNoFloor);
  }
  CHECK_FALSE(StateBackup::newest(state.folder.path()));
  CHECK_FALSE(state.old_copy("spool-20990101T000000Z.db", std::chrono::minutes(-600)).empty());  // of a clock that was wrong
  StateBackup backup(state.folder.path());
  CHECK(backup.wait_ms(kSoon) > 50'000);
}

TEST_CASE("a copy that would take the disk below the floor, or cannot be made, is tried again later") {
  const State state;
  static_cast<void>(state.old_copy("spool-20200101T000000Z.db", std::chrono::minutes(300)));
  StateBackup full(state.folder.path());
  full.turn(kSoon, std::int64_t{1} << 60);
  CHECK(full.wait_ms(kSoon) > 500'000);
  CHECK(state.copies() == 1);

  const testing::TemporaryFolder empty;  // no spool at all
  fs::create_directories(empty / "backup");
  std::ofstream(empty / "backup/spool-20200101T000000Z.db") << "old";
  fs::last_write_time(empty / "backup/spool-20200101T000000Z.db", fs::file_time_type::clock::now() - std::chrono::hours(5));
  StateBackup none(empty.path());
  REQUIRE(eventually([&] {
    none.turn(kSoon, kNoFloor);
    return none.wait_ms(kSoon) > 500'000;
  }));
}

TEST_CASE("a copy that waits for a disk that hangs does not hold up a stop") {
  const State state;
  const spool_test::FaultyVfs vfs;
  (void)state.old_copy("spool-20200101T000000Z.db", std::chrono::minutes(300));
  auto backup = std::make_unique<StateBackup>(state.folder.path());
  vfs.disk().hangs = true;
  backup->turn(kSoon, kNoFloor);
  REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
  const auto begin = std::chrono::steady_clock::now();
  backup.reset();
  CHECK(std::chrono::steady_clock::now() - begin < spool_test::kHangsAtMost / 2);
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return vfs.disk().waiting == 0; }));  // the thread goes on, and finds that it is to stop
}
