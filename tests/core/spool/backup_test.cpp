#include "core/spool/backup.h"

#include "core/spool/sqlite.h"
#include "tests/core/spool/faulty_vfs.h"
#include "tests/core/spool/spool_fixture.h"
#include "tests/support/eventually.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <thread>

using namespace pganalytics;
using namespace pganalytics::spool_test;
namespace fs = std::filesystem;

namespace {

const std::atomic<bool> kGoOn{false};

// As the documentation says: the copy in the place of everything that was there.
void restore(const std::string& copy, const std::string& dir) {
  fs::create_directories(dir);
  for (const char* name : {"spool.db", "spool.db-wal", "spool.db-shm", "spool.tally"}) fs::remove(fs::path(dir) / name);
  fs::copy_file(copy, fs::path(dir) / "spool.db");
}

std::set<std::string> waiting_keys(spool::Spool& spool) {
  std::set<std::string> keys;
  while (const auto batch = must(spool.next(spool::Lane::kBacklog))) {
    keys.insert(batch->key.text());
    must(spool.acknowledge(batch->key));
  }
  return keys;
}

}  // namespace

TEST_CASE("a restored copy has what the spool had, and seals what is new in an epoch of its own") {
  const Folder folder;
  HandClock clock;
  std::string epoch;
  {
    auto spool = must(spool::Spool::open(folder / "state", options_with(clock)));
    epoch = must(spool->status()).epoch;
    for (const char* text : {"one", "two", "three"}) must(spool->seal(run_of({document(text)})));
    must(spool->acknowledge({epoch, 1, ""}));
    must(spool->set_value("config.remote", "good"));
    must(spool::back_up(folder / "state", folder / "copy.db", kGoOn));
    must(spool->seal(run_of({document("later")})));  // the copy does not know of it
  }
  struct stat facts {};
  REQUIRE(::stat((folder / "copy.db").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  CHECK_FALSE(fs::exists(folder / "copy.db.tmp"));
  CHECK_FALSE(fs::exists(folder / "copy.db-wal"));

  restore(folder / "copy.db", folder / "state");
  auto restored = must(spool::Spool::open(folder / "state", options_with(clock)));
  const spool::SpoolStatus status = must(restored->status());
  CHECK(status.epoch != epoch);
  CHECK(status.waiting_documents == 2);
  CHECK(status.lost_documents == 0);
  check_invariant(status);
  CHECK(must(restored->value("config.remote")) == "good");
  must(restored->seal(run_of({document("new")})));
  // What waited keeps its key, so that a server that has it knows it again.
  CHECK(waiting_keys(*restored) == std::set<std::string>{epoch + ".2", epoch + ".3", status.epoch + ".1"});

  // It is a copy once: the next start goes on.
  restored.reset();
  auto again = must(spool::Spool::open(folder / "state", options_with(clock)));
  CHECK(must(again->status()).epoch == status.epoch);
}

TEST_CASE("a copy made while others write is of one moment") {
  const Folder folder;
  HandClock clock;
  auto spool = must(spool::Spool::open(folder / "state", options_with(clock)));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    const std::string payload(20'000, 'x');
    for (int i = 0; !done; ++i) {
      spool::SealedRun run = run_of({document(payload)});
      run.state["count"] = std::to_string(i + 1);
      if (!spool->seal(std::move(run))) break;
    }
  });
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    const std::string copy = folder / ("copy" + std::to_string(i) + ".db");
    const Outcome made = spool::back_up(folder / "state", copy, kGoOn);
    CHECK(made);
    if (!made) break;
    const std::string place = folder / ("restored" + std::to_string(i));
    restore(copy, place);
    auto restored = must(spool::Spool::open(place, options_with(clock)));
    const spool::SpoolStatus status = must(restored->status());
    check_invariant(status);
    CHECK(status.lost_documents == 0);
    const auto state = must(restored->state_of("pg_stats"));
    if (status.produced_documents > 0) CHECK(state.at("count") == std::to_string(status.produced_documents));
  }
  done = true;
  writer.join();
}

TEST_CASE("what cannot be copied leaves nothing behind") {
  const Folder folder;
  HandClock clock;
  CHECK(spool::back_up(folder / "nowhere", folder / "copy.db", kGoOn).error().status == PGA_E_NOTFOUND);
  auto spool = must(spool::Spool::open(folder / "state", options_with(clock)));
  must(spool->seal(run_of({document("one")})));
  const std::atomic<bool> stop{true};
  CHECK(spool::back_up(folder / "state", folder / "copy.db", stop).error().code == "spool.backup_stopped");
  CHECK(spool::back_up(folder / "state", folder / "no/such/folder/copy.db", kGoOn).error().code == "spool.backup");
  fs::create_directory(folder / "taken");
  fs::create_directory(folder / "taken/inside");
  CHECK_FALSE(spool::back_up(folder / "state", folder / "taken", kGoOn));
  CHECK_FALSE(fs::exists(folder / "copy.db"));
  CHECK_FALSE(fs::exists(folder / "copy.db.tmp"));
  // What an earlier one left lying is no obstacle.
  std::filesystem::create_symlink(folder / "elsewhere", folder / "copy.db.tmp");
  must(spool::back_up(folder / "state", folder / "copy.db", kGoOn));
  CHECK_FALSE(fs::exists(folder / "elsewhere"));
}

TEST_CASE("a stop ends a copy in the midst of its being checked, and a full disk ends it, too; neither leaves anything behind") {
  const FaultyVfs vfs;
  const Folder folder;
  HandClock clock;
  {
    auto spool = must(spool::Spool::open(folder / "state", options_with(clock)));
    for (int i = 0; i < 50; ++i) must(spool->seal(run_of({document(std::to_string(i))})));
  }
  std::atomic<bool> stop{false};
  std::string code;
  SECTION("a stop") {
    vfs.disk().hangs = true;
    auto copy = std::async(std::launch::async, [&] { return spool::back_up(folder / "state", folder / "copy.db", stop); });
    // All pages were read, and are on their way to the copy: what asks next whether to stop is the check.
    REQUIRE(testing::eventually([&] { return vfs.disk().waiting > 0; }));
    stop = true;
    vfs.disk().hangs = false;
    CHECK(copy.get().error().code == "spool.backup_stopped");
  }
  SECTION("a full disk") {
    vfs.disk().fail_writes = SQLITE_FULL;
    const auto copied = spool::back_up(folder / "state", folder / "copy.db", stop);
    REQUIRE_FALSE(copied);
    CHECK(copied.error().message.find("full") != std::string::npos);
  }
  CHECK_FALSE(fs::exists(folder / "copy.db"));
  CHECK_FALSE(fs::exists(folder / "copy.db.tmp"));
}

TEST_CASE("a copy of a damaged spool is not kept") {
  const Folder folder;
  HandClock clock;
  {
    auto spool = must(spool::Spool::open(folder / "state", options_with(clock)));
    must(spool->seal(run_of({document("one")})));
  }
  const std::string path = folder / "state/spool.db";
  std::int64_t root = 0;
  {
    auto database = must(spool::Database::open(path, SQLITE_OPEN_READONLY));
    auto row = must(database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'batch'"));
    REQUIRE(must(row.step()));
    root = row.integer(0);
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp((root - 1) * 4096 + 3);  // how many rows its page has: more than are there
  file.put(0).put(40);
  file.close();
  const auto copied = spool::back_up(folder / "state", folder / "copy.db", kGoOn);
  REQUIRE_FALSE(copied);
  CHECK(copied.error().message.find("not sound") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "copy.db"));
  CHECK_FALSE(fs::exists(folder / "copy.db.tmp"));
}
