// A disk that fails for a while or goes away: collecting goes on in memory and comes back, and the books stay balanced.
#include "core/spool/file_access.h"
#include "tests/core/spool/disk_fixture.h"
#include "tests/core/spool/faulty_vfs.h"

#include <sqlite3.h>
#include <sys/mount.h>

#include <filesystem>
#include <set>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;
using testing::eventually;

TEST_CASE("runs whose commit failed and reached the disk are counted once, those that a cap took in it too") {
  const FaultyVfs vfs;
  // Syncs that fail, and how many work before. With the second one the file's log stays as it is when its handle is closed, and
  // the next one finds the transaction in it.
  const int spared = GENERATE(0, 1, 2, 3), failing = GENERATE(1, 2, 3);
  const bool in_memory = GENERATE(false, true);
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.pace.seal_wait_ms = 1;
  options.pace.failures = in_memory ? 1 : 100;
  options.max_bytes = 1500;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  for (int i = 0; i < 8; ++i) {  // the first one alone, the others are one transaction
    must(spool->seal(run_of({document(std::to_string(i) + std::string(300, ' '))})));
    REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
  }
  vfs.disk().spare_syncs = spared;
  vfs.disk().fail_next_syncs = failing;
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents >= 8 && mode_of(*spool) == "disk"; }));
  vfs.disk().fail_next_syncs = 0;
  INFO(failing << " syncs failed after " << spared);
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.produced_documents == 8);
  std::uint64_t told = 0;
  for (const auto& loss : must(spool->losses())) told += loss.documents;
  CHECK(told == status.lost_documents);
  CHECK(drain(*spool).size() + status.lost_documents == 8);
  spool.reset();
  check_invariant(must(must(Spool::open(folder.path(), options))->status()));
}

TEST_CASE("a disk that fails for a while: memory, and back with every key, every loss, every state") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  must(spool->seal(run_of({document("on disk")})));
  must(spool->seal(run_of({document("on disk, poison")})));
  const std::string disk_epoch = must(spool->status()).epoch;
  const int code = GENERATE(SQLITE_IOERR_WRITE, SQLITE_READONLY, SQLITE_IOERR_FSYNC);
  vfs.disk().fail_writes = code;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;

  auto run = run_of({document("in limbo")});
  run.state["cursor"] = "1";
  must(spool->seal(std::move(run)));
  REQUIRE(mode_of(*spool) == "memory");
  auto status = must(spool->status());
  CHECK_FALSE(status.mode_reason.empty());
  CHECK(status.produced_documents == 3);
  CHECK(status.memory_documents == 1);
  check_invariant(status);
  run = run_of({document("in memory")});
  run.state["cursor"] = "2";
  CHECK(must(spool->seal(std::move(run))) == 1);  // of the ring's own epoch
  must(spool->seal(run_of({document("in memory, poison")})));
  must(spool->seal(run_of({document("in memory, acknowledged")})));
  must(spool->set_value("value", "kept"));
  CHECK(must(spool->status()).epoch != disk_epoch);

  // Live: the newest first.
  auto live = must(spool->next(Lane::kLive));
  REQUIRE(live);
  CHECK(payload_of(*live) == "in memory, acknowledged");
  CHECK(must(spool->next(Lane::kLive))->key == live->key);
  must(spool->acknowledge(live->key));
  live = must(spool->next(Lane::kLive));
  CHECK(payload_of(*live) == "in memory, poison");
  must(spool->set_aside(live->key, "poison"));
  live = must(spool->next(Lane::kLive));
  CHECK(payload_of(*live) == "in memory");
  const auto ring_key = live->key;
  const std::string ring_body = live->body;
  status = must(spool->status());
  check_invariant(status);
  CHECK(status.produced_documents == 6);
  CHECK(must(spool->losses()).at(0).id < 0);

  vfs.disk().fail_writes = 0;
  vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  status = must(spool->status());
  CHECK(status.epoch == disk_epoch);
  CHECK(status.produced_documents == 6);
  CHECK(status.acknowledged_documents == 1);
  CHECK(status.lost_documents == 1);
  CHECK(status.memory_documents == 0);
  check_invariant(status);
  CHECK(must(spool->losses()).at(0).reason == "poison");
  spool.reset();

  spool = must(Spool::open(folder.path(), hasty(clock)));
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "2");
  CHECK(must(spool->value("value")) == std::optional<std::string>("kept"));
  // It was handed out, so it comes first, byte for byte.
  live = must(spool->next(Lane::kBacklog));
  CHECK(live->key == ring_key);
  CHECK(live->body == ring_body);
  must(spool->acknowledge(ring_key));
  CHECK(drain(*spool) == std::multiset<std::string>{"in limbo", "on disk", "on disk, poison"});
  check_invariant(must(spool->status()));
}

TEST_CASE("what ends while the disk cannot be told has ended when it can") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name), document(name)})));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  std::filesystem::create_directory(folder / "spool.reserve.probe");  // nothing can be written there, as on a disk that is ill
  must(spool->seal(run_of({document("limbo")})));
  REQUIRE(mode_of(*spool) == "memory");

  // What the file has is sent, too: the handle that failed to write still reads.
  const auto a = must(spool->next(Lane::kBacklog));
  REQUIRE(a);
  CHECK(payload_of(*a) == "a");
  CHECK(spool->split(a->key).error().status == PGA_E_TRANSIENT);
  CHECK(spool->rekey(a->key).error().status == PGA_E_TRANSIENT);
  must(spool->acknowledge(a->key));
  CHECK(spool->acknowledge(a->key).error().status == PGA_E_NOTFOUND);
  const auto b = must(spool->next(Lane::kBacklog));
  CHECK(payload_of(*b) == "b");
  must(spool->set_aside(b->key, "poison"));
  const auto c = must(spool->next(Lane::kBacklog));
  must(spool->hold(c->key));
  CHECK(payload_of(*must(spool->next(Lane::kBacklog))) == "limbo");
  const auto away = must(spool->status());
  check_invariant(away);
  CHECK(away.acknowledged_documents == 2);
  CHECK(away.lost_documents == 2);

  vfs.disk().fail_writes = 0;
  std::filesystem::remove(folder / "spool.reserve.probe");
  REQUIRE(in_mode(*spool, "disk"));
  spool->release(c->key);
  check_invariant(must(spool->status()));
  CHECK(must(spool->status()).produced_documents == 7);
  CHECK(must(spool->losses()).at(0).reason == "poison");
  CHECK(drain(*spool) == std::multiset<std::string>{"c", "limbo"});
}

TEST_CASE("an fsync that fails is not repeated: another handle writes the run, once") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  for (int i = 0; i < 6; ++i) {
    vfs.disk().fail_next_syncs = i % 2;
    must(spool->seal(run_of({document(std::to_string(i))})));
  }
  CHECK(must(spool->status()).produced_documents == 6);
  CHECK(drain(*spool).size() == 6);
  check_invariant(must(spool->status()));
}

TEST_CASE("the ring keeps to four megabytes of a plugin and counts what it drops, but not under the sender's hands") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  must(spool->seal(run_of({document("limbo")})));
  REQUIRE(mode_of(*spool) == "memory");
  must(spool->seal(run_of({document(std::string(1 << 20, '0'))})));
  const auto out = must(spool->next(Lane::kLive));
  for (int i = 0; i < 8; ++i) must(spool->seal(run_of({document(std::string(1 << 20, 'x'))})));
  auto other = run_of({document("other")});
  other.plugin = "disk";
  must(spool->seal(std::move(other)));
  auto status = must(spool->status());
  CHECK(status.memory_bytes <= (std::uint64_t{4} << 20) + 1024);
  check_invariant(status);
  CHECK(must(spool->next(Lane::kLive))->key == out->key);
  std::uint64_t told = 0;
  for (const auto& loss : must(spool->losses())) told += loss.reason == "memory" ? loss.documents : 0;
  CHECK(told > 0);
  auto report = run_of({document("report")});
  report.plugin = "collector";
  report.reported_losses = must(spool->losses());
  must(spool->seal(std::move(report)));
  CHECK(must(spool->losses()).empty());
  vfs.disk().fail_writes = 0;
  vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(must(spool->losses()).size() <= 1);  // the batch in limbo may have gone since: counted on its way back
  drain(*spool);
  CHECK(must(spool->status()).lost_documents >= told);
  check_invariant(must(spool->status()));
}

TEST_CASE("halves and new keys in memory come to the disk as they are") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  must(spool->seal(run_of({document("limbo"), document("limbo")})));
  must(spool->seal(run_of({document("1"), document("2"), document("3")})));
  must(spool->seal(run_of({document("again")})));
  REQUIRE(mode_of(*spool) == "memory");
  auto batch = must(spool->next(Lane::kLive));
  const auto old_epoch = batch->key.epoch;
  must(spool->rekey(batch->key));
  batch = must(spool->next(Lane::kLive));
  CHECK(payload_of(*batch) == "again");
  CHECK(batch->key.epoch != old_epoch);
  CHECK_FALSE(must(spool->split(batch->key)));
  must(spool->hold(batch->key));
  batch = must(spool->next(Lane::kLive));
  CHECK(must(spool->split(batch->key)));
  batch = must(spool->next(Lane::kLive));
  CHECK(batch->key.part == "1");
  CHECK(batch->documents == 2);
  must(spool->hold(batch->key));
  batch = must(spool->next(Lane::kLive));
  CHECK(batch->key.part == "0");
  must(spool->hold(batch->key));
  batch = must(spool->next(Lane::kLive));  // in limbo: whether it is on the disk, nobody knows
  CHECK(spool->split(batch->key).error().status == PGA_E_TRANSIENT);
  CHECK(spool->rekey(batch->key).error().status == PGA_E_TRANSIENT);
  must(spool->acknowledge(batch->key));
  check_invariant(must(spool->status()));
  vfs.disk().fail_writes = 0;
  vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.produced_documents == 6);
  CHECK(status.acknowledged_documents == 2);
  spool.reset();
  spool = must(Spool::open(folder.path(), hasty(clock)));
  CHECK(must(spool->status()).waiting_batches == 3);
  CHECK(drain(*spool) == std::multiset<std::string>{"1", "2", "again"});
}

TEST_CASE("a collector that begins without a disk collects and delivers, and moves in when there is one") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  {
    auto spool = must(Spool::open(folder.path(), hasty(clock)));
    auto run = run_of({document("before")});
    run.state["cursor"] = "1";
    must(spool->seal(std::move(run)));
    must(spool->set_value("kept", "yes"));
  }
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  CHECK(mode_of(*spool) == "memory");
  auto run = run_of({document("meanwhile")});
  run.plugin = "logs";
  run.state["cursor"] = "9";
  must(spool->seal(std::move(run)));
  const auto batch = must(spool->next(Lane::kLive));
  CHECK(payload_of(*batch) == "meanwhile");
  must(spool->acknowledge(batch->key));
  vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "1");
  CHECK(must(spool->state_of("logs")).at("cursor") == "9");
  CHECK(must(spool->value("kept")) == std::optional<std::string>("yes"));
  CHECK(drain(*spool) == std::multiset<std::string>{"before"});
  check_invariant(must(spool->status()));
}

TEST_CASE("what was collected before the disk could be read is newer than what lies on it") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  {
    auto spool = must(Spool::open(folder.path(), hasty(clock)));
    for (const char* const name : {"old 1", "old 2", "old 3"}) must(spool->seal(run_of({document(name)})));
  }
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  REQUIRE(mode_of(*spool) == "memory");
  for (const char* const name : {"new 1", "new 2"}) must(spool->seal(run_of({document(name)})));
  vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  std::vector<std::string> oldest_first;
  while (const auto batch = must(spool->next(Lane::kBacklog))) {
    oldest_first.push_back(payload_of(*batch));
    if (oldest_first.size() == 1) CHECK(payload_of(*must(spool->next(Lane::kLive))) == "new 2");
    must(spool->acknowledge(batch->key));
    if (oldest_first.size() == 4) break;  // the last one is the live lane's
  }
  CHECK(oldest_first == std::vector<std::string>{"old 1", "old 2", "old 3", "new 1"});
}

TEST_CASE("a command that has to know is told that the disk fails") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.disk_only = true;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  CHECK_FALSE(Spool::open(folder.path(), options));
  vfs.disk().fail_opens = 0;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  CHECK_FALSE(spool->seal(run_of({document("a")})));
  CHECK_FALSE(spool->set_value("a", "b"));
  vfs.disk().fail_writes = 0;
  CHECK(must(spool->seal(run_of({document("b")}))) == 1);
}

TEST_CASE("a spool whose file is deleted or moved away while it runs is written again, whole") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  auto run = run_of({document("a")});
  run.state["cursor"] = "1";
  must(spool->seal(std::move(run)));
  const std::string epoch = must(spool->status()).epoch;
  SECTION("the files") {
    for (const char* const name : {"spool.db", "spool.db-wal", "spool.db-shm"}) std::filesystem::remove(folder / name);
  }
  SECTION("the folder") { std::filesystem::remove_all(folder.path()); }
  SECTION("another file in its place") {
    std::filesystem::copy_file(folder / "spool.db", folder / "old");
    std::filesystem::rename(folder / "old", folder / "spool.db");
  }
  must(spool->seal(run_of({document("b")})));
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(must(spool->status()).epoch != epoch);  // the file is another one now
  CHECK_FALSE(Spool::open(folder.path(), hasty(clock)));
  spool.reset();
  spool = must(Spool::open(folder.path(), hasty(clock)));
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "1");
  CHECK(drain(*spool) == std::multiset<std::string>{"a", "b"});
  check_invariant(must(spool->status()));
}

TEST_CASE("a state folder that was moved away is not put back over that of the collector which began in its place") {
  const Folder folder;
  const HandClock clock;
  const std::string place = folder / "state";
  auto first = must(Spool::open(place, hasty(clock)));
  must(first->seal(run_of({document("of the first")})));
  std::filesystem::rename(place, folder / "moved");
  auto second = must(Spool::open(place, hasty(clock)));
  const auto file = spool::place_of(place + "/spool.db");
  must(second->seal(run_of({document("of the second")})));
  must(first->seal(run_of({document("of the first, later")})));
  REQUIRE(in_mode(*first, "memory"));
  CHECK(must(first->status()).mode_reason.find("in use by another collector") != std::string::npos);
  CHECK(spool::place_of(place + "/spool.db") == file);
  must(second->seal(run_of({document("of the second, later")})));
  CHECK(mode_of(*second) == "disk");
  second.reset();
  REQUIRE(in_mode(*first, "disk"));  // in the file of the second, which is nobody's now
  CHECK(must(first->status()).lost_documents == 0);
  CHECK(drain(*first) == std::multiset<std::string>{"of the first, later", "of the second", "of the second, later"});
  CHECK(must(must(spool::SpoolView::open(folder / "moved")).status()).waiting_documents == 1);
}

TEST_CASE("a move back to the disk whose commit failed is made again through another handle, and nothing is there twice") {
  const FaultyVfs vfs;
  const int spared = GENERATE(range(0, 10));
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  must(spool->seal(run_of({document("on the disk")})));
  vfs.disk().fail_writes = SQLITE_IOERR_WRITE;
  vfs.disk().fail_opens = SQLITE_CANTOPEN;
  for (const char* const name : {"limbo", "a", "b", "poison"}) {
    must(spool->seal(run_of({document(name)})));
    REQUIRE(in_mode(*spool, "memory"));
  }
  must(spool->set_aside(must(spool->next(Lane::kLive))->key, "poison"));
  vfs.disk().spare_syncs = spared;
  vfs.disk().fail_next_syncs = 1;
  vfs.disk().fail_writes = vfs.disk().fail_opens = 0;
  REQUIRE(in_mode(*spool, "disk"));
  INFO("a sync failed after " << spared);
  if (vfs.disk().fail_next_syncs == 0) CHECK(vfs.disk().opens > vfs.disk().opens_at_failure);
  vfs.disk().fail_next_syncs = 0;
  const auto status = must(spool->status());
  CHECK(status.produced_documents == 5);
  CHECK(status.waiting_documents == 4);
  check_invariant(status);
  REQUIRE(must(spool->losses()).size() == 1);
  CHECK(must(spool->losses())[0].documents == 1);
  CHECK(drain(*spool) == std::multiset<std::string>{"a", "b", "limbo", "on the disk"});
  spool.reset();
  check_invariant(must(must(Spool::open(folder.path(), hasty(clock)))->status()));
}

TEST_CASE("a loss that a waiting run tells is not given out a second time") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  auto spool = must(Spool::open(folder.path(), options));
  must(spool->seal(run_of({document("poison")})));
  REQUIRE(eventually([&] { return must(spool->status()).waiting_batches == 1; }));
  must(spool->set_aside(key_of(*spool, 1), "poison"));
  auto report = run_of({document("one is lost")});
  report.reported_losses = must(spool->losses());
  REQUIRE(report.reported_losses.size() == 1);
  vfs.disk().hangs = true;
  must(spool->seal(std::move(report)));
  CHECK(must(spool->losses()).empty());
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).waiting_batches == 1; }));
  CHECK(must(spool->losses()).empty());
}

TEST_CASE("failures that are further apart than the window do not send the spool to memory") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.pace.failures = 2;
  options.pace.window_ms = 1;  // a pause between two tries is longer
  auto spool = must(Spool::open(folder.path(), options));
  for (std::uint64_t i = 1; i <= 4; ++i) {
    vfs.disk().fail_next_syncs = 1;
    CHECK(must(spool->seal(run_of({document("a")}))) == i);
    CHECK(mode_of(*spool) == "disk");
  }
}

TEST_CASE("a file system that becomes read-only, and one that is from the start") {
  const Folder folder;
  const HandClock clock;
  const auto options = hasty(clock);
  const auto step = on_tmpfs(folder.path(), "size=16m", [&]() -> int {
    const auto remount = [&](unsigned long flags) {
      return ::mount("none", folder.path().c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0;
    };
    std::string first;
    {
      auto opened = Spool::open(folder.path(), options);
      if (!opened) return 1;
      auto run = run_of({document("a")});
      run.state["cursor"] = "1";
      if (!(*opened)->seal(std::move(run))) return 2;
    }
    if (!remount(MS_RDONLY)) return 3;
    auto opened = Spool::open(folder.path(), options);
    if (!opened) return 4;
    Spool& spool = **opened;
    if (spool.status()->mode != "memory" || spool.status()->waiting_documents != 1) return 5;
    const auto another = Spool::open(folder.path(), options);
    if (another || another.error().code != "spool.locked") return 15;
    if (spool.state_of("pg_stats")->at("cursor") != "1") return 6;
    if (!spool.seal(run_of({document("b")})) || !balanced(spool)) return 7;
    const auto live = spool.next(Lane::kLive);
    if (!live || !*live || payload_of(**live) != "b" || !spool.acknowledge((*live)->key)) return 8;
    const auto old = spool.next(Lane::kBacklog);
    if (!old || !*old || payload_of(**old) != "a" || !spool.acknowledge((*old)->key)) return 9;
    if (!balanced(spool)) return 10;
    if (!remount(0)) return 11;
    if (!eventually([&] { return spool.status()->mode == "disk"; })) return 12;
    const auto status = spool.status();
    if (!balanced(spool) || status->acknowledged_documents != 2 || status->waiting_documents != 0) return 13;
    return spool.seal(run_of({document("c")})) && balanced(spool) ? 0 : 14;
  });
  if (done_here(step)) CHECK(*step == 0);
}
