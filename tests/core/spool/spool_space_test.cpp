// A disk that is full, or has less free space than is to be kept: the oldest go, counted, and no more than it takes.
#include "core/spool/free_space.h"
#include "tests/core/spool/disk_fixture.h"
#include "tests/core/spool/faulty_vfs.h"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <set>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Spool;

TEST_CASE("on a full disk the oldest make room for the newest, counted") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), hasty(clock)));
  CHECK(std::filesystem::file_size(folder / "spool.reserve") == 4 << 20);
  for (int i = 0; i < 3; ++i) must(spool->seal(run_of({document(std::to_string(i))})));
  vfs.disk().fail_writes = SQLITE_FULL;
  must(spool->seal(run_of({document("new")})));
  CHECK(mode_of(*spool) == "memory");  // not even deleting works
  vfs.disk().fail_writes = 0;
  REQUIRE(in_mode(*spool, "disk"));
  CHECK(drain(*spool).size() == 4);
}

TEST_CASE("a file system that is full: the oldest go, counted, and the newest is on the disk") {
  const char* const size = GENERATE("size=4m", "size=12m");
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  const auto step = on_tmpfs(folder.path(), size, [&]() -> int {
    auto opened = Spool::open(folder.path(), options);
    if (!opened) return 1;
    Spool& spool = **opened;
    for (int i = 0; i < 60; ++i) {
      if (!spool.seal(run_of({document(std::string(400'000, 'x'))}))) return 2;
      if (!balanced(spool)) return 3;
    }
    const auto status = spool.status();
    if (!status || status->mode != "disk") return 4;
    if (status->lost_documents == 0 || status->waiting_documents == 0 || status->last_seq != 60) return 5;
    std::uint64_t told = 0;
    const auto losses = spool.losses();
    for (const auto& loss : *losses) {
      if (loss.reason != "space") return 6;
      told += loss.documents;
    }
    return told == status->lost_documents ? 0 : 7;
  });
  if (done_here(step)) CHECK(*step == 0);
}

TEST_CASE("below the free-space floor goes what is missing, not many times as much") {
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  constexpr std::uint64_t kMissing = 20 << 20, kBody = 400'000;
  const auto step = on_tmpfs(folder.path(), "size=128m", [&]() -> int {
    auto opened = Spool::open(folder.path(), options);
    if (!opened) return 1;
    Spool& spool = **opened;
    for (int i = 0; i < 160; ++i) {
      if (!spool.seal(run_of({document(std::string(kBody, 'x'))}))) return 2;
    }
    const auto before = spool::free_space(folder.path(), std::nullopt);
    if (!before || spool.status()->lost_documents != 0) return 3;
    spool::SpoolCaps caps = options;
    caps.keep_free_bytes = static_cast<std::int64_t>(before->available_bytes + kMissing);
    spool.set_caps(caps);
    const auto is_kept = [&] { return spool::free_space(folder.path(), caps.keep_free_bytes)->missing_bytes() == 0; };
    for (int i = 0; i < 20; ++i) {
      if (!spool.seal(run_of({document("small")})) || !balanced(spool)) return 4;
    }
    if (!is_kept()) return 5;
    const std::uint64_t lost_bytes = spool.status()->lost_documents * kBody;
    return lost_bytes > 0 && lost_bytes <= kMissing + kMissing / 4 ? 0 : 6;
  });
  if (done_here(step)) CHECK(*step == 0);
}

TEST_CASE("without its reserve the spool works as long as the disk has room; a link in its place is not followed") {
  const Folder folder;
  const HandClock clock;
  const std::string reserve = folder / "spool.reserve";
  SECTION("a link") {
    std::filesystem::create_symlink(folder / "elsewhere", reserve);
    auto spool = must(Spool::open(folder.path(), hasty(clock)));
    must(spool->seal(run_of({document("a")})));
    CHECK(mode_of(*spool) == "disk");
    CHECK_FALSE(std::filesystem::exists(folder / "elsewhere"));
  }
  SECTION("no room for it") {
    const auto step = on_tmpfs(folder.path(), "size=4m", [&]() -> int {
      std::ofstream(folder / "of another program") << std::string((4 << 20) - (600 << 10), 'x');
      auto opened = Spool::open(folder.path(), hasty(clock));
      if (!opened || !(*opened)->seal(run_of({document("a")}))) return 1;
      if ((*opened)->status()->mode != "disk" || !balanced(**opened)) return 2;
      return std::filesystem::exists(reserve) ? 3 : 0;  // a part of it helps nobody
    });
    if (done_here(step)) CHECK(*step == 0);
  }
}

TEST_CASE("what goes below the free-space floor goes back to the disk at once, not out of the books only") {
  const Folder folder;
  const HandClock clock;
  auto options = hasty(clock);
  options.encoding = compression::Encoding::kIdentity;
  auto spool = must(Spool::open(folder.path(), options));
  for (int i = 0; i < 40; ++i) must(spool->seal(run_of({document(std::string(400'000, 'x'))})));
  CHECK(std::filesystem::file_size(folder / "spool.db") > 12 << 20);
  spool::SpoolCaps caps = options;
  caps.keep_free_bytes = std::int64_t{1} << 60;
  spool->set_caps(caps);
  must(spool->seal(run_of({document("newest")})));
  CHECK(must(spool->status()).lost_documents == 40);
  CHECK(std::filesystem::file_size(folder / "spool.db") < 1 << 20);
  CHECK(drain(*spool) == std::multiset<std::string>{"newest"});
  check_invariant(must(spool->status()));
}

TEST_CASE("without keep_free a gibibyte stays free, or a twentieth of a larger file system; a keep_free is taken as it is") {
  const Folder folder;
  const auto floor_of = [&](const char* size, std::optional<std::int64_t> keep_free) {
    return on_tmpfs(folder.path(), size, [&]() -> int {
      return static_cast<int>(spool::free_space(folder.path(), keep_free)->floor_bytes >> 28);  // in quarters of a GiB
    });
  };
  const auto small = floor_of("size=16m", std::nullopt);
  if (!done_here(small)) return;
  CHECK(*small == 4);
  CHECK(floor_of("size=40g", std::nullopt) == 8);
  CHECK(floor_of("size=40g", std::int64_t{1} << 28) == 1);
  CHECK(floor_of("size=40g", 0) == 0);
  CHECK_FALSE(spool::free_space(folder / "absent", 0));
}
