// A commit that failed may have reached the disk: what it was removing waits until the file, opened anew, has told.
#include "tests/core/spool/disk_fixture.h"
#include "tests/core/spool/faulty_vfs.h"

#include <filesystem>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Spool;
using testing::eventually;

TEST_CASE("what a failed commit was dropping is not delivered from memory: nobody knows whether the file counts it as lost") {
  const FaultyVfs vfs;
  const int spared = GENERATE(0, 1);  // of the two commits, the first or the second fails
  const bool arrived = GENERATE(false, true);
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.pace.seal_wait_ms = 1;
  options.pace.failures = 1;
  options.max_bytes = 1500;
  auto spool = must(Spool::open(folder.path(), options));
  const auto seal = [&](int number) { must(spool->seal(run_of({document(std::to_string(number) + std::string(300, ' '))}))); };
  for (int i = 0; i < 3; ++i) seal(i);
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == 3; }));
  vfs.disk().hangs = true;
  for (int i = 3; i < 9; ++i) {
    seal(i);
    REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
  }
  std::filesystem::create_directory(folder / "spool.reserve.probe");  // no way back to the disk
  vfs.disk().spare_syncs = spared;
  vfs.disk().fail_next_syncs = 1;
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == 9; }));
  REQUIRE(mode_of(*spool) == "memory");
  const std::size_t delivered = drain(*spool).size();
  // With this one the log stays as it is when its handle is closed, and the next one finds the failed transaction in it.
  vfs.disk().fail_next_syncs = arrived ? 1 : 0;
  std::filesystem::remove(folder / "spool.reserve.probe");
  REQUIRE(in_mode(*spool, "disk"));
  INFO("failed after " << spared << " syncs; " << delivered << " delivered");
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.produced_documents == 9);
  CHECK(status.acknowledged_documents == delivered);
  CHECK(drain(*spool).size() + delivered + status.lost_documents == 9);
}

TEST_CASE("a batch that was out when its end failed to be written down is not handed out again before that is known") {
  const FaultyVfs vfs;
  const bool arrived = GENERATE(false, true);
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.pace.failures = 1;
  auto spool = must(Spool::open(folder.path(), options));
  for (const char* const name : {"a", "b"}) must(spool->seal(run_of({document(name)})));
  const auto out = must(spool->next(spool::Lane::kBacklog));
  REQUIRE(out);
  std::filesystem::create_directory(folder / "spool.reserve.probe");  // no way back to the disk
  vfs.disk().fail_next_syncs = 1;
  CHECK(spool->set_aside(out->key, "poison").error().status == PGA_E_TRANSIENT);
  REQUIRE(in_mode(*spool, "memory"));
  CHECK(drain(*spool) == std::multiset<std::string>{"b"});
  vfs.disk().fail_next_syncs = arrived ? 1 : 0;
  std::filesystem::remove(folder / "spool.reserve.probe");
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(drain(*spool) == (arrived ? std::multiset<std::string>{} : std::multiset<std::string>{"a"}));
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.lost_documents == (arrived ? 1 : 0));
}
