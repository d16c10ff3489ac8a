// A file that is held, moved, replaced, unmounted or unreadable for a while under the collector, and a stop in the midst of it.
#include "core/spool/file_access.h"
#include "tests/core/spool/disk_fixture.h"
#include "tests/core/spool/faulty_vfs.h"

#include <sqlite3.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;
using testing::eventually;

namespace {

// Somebody's sqlite3 program with the spool in it.
class Shell {
 public:
  explicit Shell(const std::string& path) { REQUIRE(sqlite3_open(path.c_str(), &database_) == SQLITE_OK); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() { sqlite3_close(database_); }
  void run(const char* sql) { REQUIRE(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK); }

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace

TEST_CASE("a spool that somebody's sqlite3 holds: the collector goes on in memory, and moves in when it is free") {
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.pace.failures = 1;  // each takes the two seconds that a lock is waited for
  auto spool = must(Spool::open(folder.path(), options));
  must(spool->seal(run_of({document("before")})));
  REQUIRE(must(spool->next(Lane::kBacklog)));  // a start marks it again
  Shell shell(folder / "spool.db");
  SECTION("while it runs") { shell.run("BEGIN IMMEDIATE"); }
  SECTION("when it starts") {
    spool.reset();
    shell.run("BEGIN IMMEDIATE");
    spool = must(Spool::open(folder.path(), options));
  }
  must(spool->seal(run_of({document("meanwhile")})));
  REQUIRE(in_mode(*spool, "memory"));
  CHECK(must(spool->status()).mode_reason.find("locked") != std::string::npos);
  CHECK(payload_of(*must(spool->next(Lane::kBacklog))) == "before");  // reading goes on
  check_invariant(must(spool->status()));
  shell.run("ROLLBACK");
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(drain(*spool) == std::multiset<std::string>{"before", "meanwhile"});
  check_invariant(must(spool->status()));
}

TEST_CASE("what stands in the way of a file that has to be written again is said, and waited for in memory") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  const std::string place = folder / "state", file = place + "/spool.db";
  auto spool = must(Spool::open(place, hasty(clock)));
  must(spool->seal(run_of({document("a")})));
  std::string obstacle, said;
  SECTION("a file where the folder was") {
    std::filesystem::rename(place, folder / "moved");
    std::ofstream(place) << "not a folder";
    obstacle = place;
    said = place;
  }
  SECTION("a folder where the file was") {
    std::filesystem::remove(file);
    std::filesystem::create_directories(file);
    obstacle = file;
    said = "unable to rename";
  }
  SECTION("a folder where the new one is to be made") {
    std::filesystem::remove(file);
    std::filesystem::create_directories(file + ".new/inside");
    obstacle = file + ".new";
    said = "unable to open";
  }
  SECTION("a disk that is full") {
    std::filesystem::remove(file);
    vfs.disk().fail_writes = SQLITE_FULL;
    said = "unable to copy";
  }
  must(spool->seal(run_of({document("b")})));
  REQUIRE(in_mode(*spool, "memory"));
  const std::string reason = must(spool->status()).mode_reason;
  CHECK(reason.find("is gone") != std::string::npos);
  CHECK(reason.find(said) != std::string::npos);
  check_invariant(must(spool->status()));
  if (!obstacle.empty()) std::filesystem::remove_all(obstacle);
  vfs.disk().fail_writes = 0;
  REQUIRE(in_mode(*spool, "disk"));
  spool.reset();
  spool = must(Spool::open(place, hasty(clock)));
  CHECK(drain(*spool) == std::multiset<std::string>{"a", "b"});
  check_invariant(must(spool->status()));
}

TEST_CASE("a state folder whose file system is unmounted is not made anew on the disk below; mounted again, it goes on") {
  const Folder disk, place;
  const HandClock clock;
  const auto options = hasty(clock);
  const auto step = on_tmpfs(disk.path(), "size=16m", [&]() -> int {
    const auto mounted = [&] { return ::mount(disk.path().c_str(), place.path().c_str(), nullptr, MS_BIND, nullptr) == 0; };
    if (!mounted()) return 1;
    auto opened = Spool::open(place.path(), options);
    if (!opened) return 2;
    Spool& spool = **opened;
    if (!spool.seal(run_of({document("a")}))) return 3;
    if (::umount2(place.path().c_str(), MNT_DETACH) != 0) return 4;
    if (!spool.seal(run_of({document("b")}))) return 5;
    if (!eventually([&] { return spool.status()->mode == "memory"; })) return 6;
    if (spool.status()->mode_reason.find("what was mounted at") == std::string::npos) return 7;
    if (std::filesystem::exists(place / "spool.db") || !balanced(spool)) return 8;
    if (!mounted()) return 9;
    if (!eventually([&] { return spool.status()->mode == "disk"; })) return 10;
    const auto status = spool.status();
    return balanced(spool) && status->waiting_documents == 2 && status->lost_documents == 0 ? 0 : 11;
  });
  if (done_here(step)) CHECK(*step == 0);
}

TEST_CASE("a page that comes damaged or not at all from the disk, for a while: the batch is given when it can be read") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.pace.failures = 100;
  auto spool = must(Spool::open(folder.path(), options));
  for (int i = 0; i < 6; ++i) {  // more than SQLite keeps in memory of its file
    must(spool->seal(run_of({document(std::string(1 << 20, static_cast<char>('a' + i)))})));
  }
  const int opens = vfs.disk().opens;
  vfs.disk().fail_reads = SQLITE_CORRUPT;
  const auto damaged = spool->next(Lane::kBacklog);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().status == PGA_E_TRANSIENT);
  vfs.disk().fail_reads = SQLITE_IOERR_READ;
  const auto unread = spool->next(Lane::kBacklog);
  REQUIRE_FALSE(unread);
  CHECK(unread.error().status == PGA_E_TRANSIENT);
  vfs.disk().fail_reads = 0;
  CHECK(payload_of(*must(spool->next(Lane::kBacklog))) == std::string(1 << 20, 'a'));
  CHECK(vfs.disk().opens > opens);  // whether it is damaged is asked when it is opened
  CHECK(must(spool->status()).lost_documents == 0);
  CHECK(drain(*spool).size() == 6);
  check_invariant(must(spool->status()));
}

TEST_CASE("a mark tells when everything that was put in before it is on the disk, and not in memory") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.pace.seal_wait_ms = 1;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  must(spool->set_value("key", "1"));
  std::uint64_t mark = spool->mark();
  CHECK_FALSE(spool->is_on_disk(mark));
  vfs.disk().hangs = false;
  CHECK(eventually([&] { return spool->is_on_disk(mark); }));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  must(spool->set_value("key", "2"));
  mark = spool->mark();
  REQUIRE(in_mode(*spool, "memory"));
  CHECK_FALSE(spool->is_on_disk(mark));
  vfs.disk().fail_writes = vfs.disk().fail_opens = 0;
  CHECK(eventually([&] { return spool->is_on_disk(mark); }));
}

TEST_CASE("a stop while the disk is away costs what memory holds, and nothing of what the disk has") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  const bool delivered = GENERATE(false, true);
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  auto run = run_of({document("on the disk")});
  run.state["cursor"] = "1";
  must(spool->seal(std::move(run)));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  run = run_of({document("in memory")});
  run.state["cursor"] = "2";
  must(spool->seal(std::move(run)));
  REQUIRE(in_mode(*spool, "memory"));
  if (delivered) must(spool->acknowledge(must(spool->next(Lane::kLive))->key));
  spool.reset();
  vfs.disk().fail_writes = vfs.disk().fail_opens = 0;
  spool = must(Spool::open(folder.path(), hasty(clock)));
  check_invariant(must(spool->status()));
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "1");  // the plugin reads again what it lost
  CHECK(drain(*spool) == std::multiset<std::string>{"on the disk"});
}

TEST_CASE("losses in memory are told as those on the disk: neighbours in one row, and later what came after they were read") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  must(spool->seal(run_of({document("limbo")})));
  REQUIRE(in_mode(*spool, "memory"));
  for (int i = 1; i <= 5; ++i) must(spool->seal(run_of({document(std::to_string(i))})));
  const auto lose = [&](std::uint64_t seq, const char* reason) { must(spool->set_aside(key_of(*spool, seq), reason)); };
  lose(1, "poison");
  const auto read = must(spool->losses());
  REQUIRE(read.size() == 1);
  lose(2, "poison");
  lose(3, "too_large");
  lose(5, "poison");
  REQUIRE(must(spool->losses()).size() == 3);
  CHECK(must(spool->losses())[0].documents == 2);
  auto report = run_of({document("one is lost")});
  report.reported_losses = read;
  must(spool->seal(std::move(report)));
  const auto check_rest = [&] {
    std::multiset<std::string> rest;
    for (const auto& loss : must(spool->losses())) {
      rest.insert(loss.reason + " " + std::to_string(loss.first_seq) + "-" + std::to_string(loss.last_seq) + ": " +
                  std::to_string(loss.documents));
    }
    CHECK(rest == std::multiset<std::string>{"poison 2-2: 1", "poison 5-5: 1", "too_large 3-3: 1"});
  };
  check_rest();
  vfs.disk().fail_writes = vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  check_rest();
  CHECK(must(spool->status()).lost_documents == 4);
  CHECK(drain(*spool) == std::multiset<std::string>{"4", "limbo", "one is lost"});
  check_invariant(must(spool->status()));
}
