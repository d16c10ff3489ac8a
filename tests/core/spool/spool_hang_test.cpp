// A disk that hangs: nobody waits for it longer than he said, memory stays bounded, nothing that was promised is taken back.
#include "core/spool/write.h"
#include "tests/core/spool/disk_fixture.h"
#include "tests/core/spool/faulty_vfs.h"

#include <chrono>
#include <future>
#include <set>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;
using testing::eventually;

// How long a call may take is SpoolPace's default, and tests/bench/spool.cpp measures it; here: none waits for the disk's answer.
TEST_CASE("no call of the main thread waits for a disk that hangs, and nothing is lost by it") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace = spool::SpoolPace{};
  CHECK(options.pace.seal_wait_ms == 100);
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto run = run_of({document(std::to_string(i))});
    run.state["cursor"] = std::to_string(i);
    CHECK(must(spool->seal(std::move(run))) == 0);  // not on the disk yet
    CHECK(must(spool->state_of("pg_stats")).at("cursor") == std::to_string(i));
    must(spool->set_value("key", std::to_string(i)));
    CHECK(must(spool->value("key")) == std::to_string(i));
    CHECK(must(spool->losses()).empty());
    CHECK(must(spool->status()).pending_runs <= i + 1);
  }
  CHECK(must(spool->status()).produced_documents == 0);  // the disk has still not answered
  CHECK(must(spool->status()).pending_runs > 0);
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == 5; }));
  CHECK(drain(*spool) == std::multiset<std::string>{"0", "1", "2", "3", "4"});
  check_invariant(must(spool->status()));
}

TEST_CASE(
    "while the disk hangs, a plugin's runs take four megabytes of memory; the oldest are counted, and their state is kept") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  for (int i = 0; i < 8; ++i) {
    auto run = run_of({document(std::string(1 << 20, 'x'))});
    run.state["cursor"] = std::to_string(i);
    must(spool->seal(std::move(run)));
    REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));  // the first one is on its way to the disk
  }
  auto small = run_of({document("small")});
  small.plugin = "disk";
  must(spool->seal(std::move(small)));
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == 9; }));
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.lost_documents >= 3);
  const auto losses = must(spool->losses());
  std::uint64_t told = 0;
  for (const auto& loss : losses) {
    CHECK(loss.reason == "memory");
    told += loss.documents;
  }
  CHECK(told == status.lost_documents);
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "7");
  spool.reset();
  CHECK(must(must(Spool::open(folder.path(), options))->state_of("pg_stats")).at("cursor") == "7");
}

TEST_CASE("while the disk hangs, runs take no more memory however much state they leave, and none of it is lost") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  constexpr int kRuns = 100;
  const auto large = [](int i) { return std::to_string(i) + std::string(256 << 10, 's'); };
  for (int i = 0; i < kRuns; ++i) {
    auto run = run_of({document(std::to_string(i))});
    run.state["cursor"] = large(i);
    run.state["run " + std::to_string(i % 3)] = std::to_string(i);
    must(spool->seal(std::move(run)));
    spool::SealedRun state_only;
    state_only.plugin = "disk";
    state_only.state["cursor"] = large(i);
    must(spool->seal(std::move(state_only)));
    must(spool->set_value("value", large(i)));
    REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
  }
  // Of each plugin what four megabytes hold, its newest, and one that gave up all but its count.
  CHECK(must(spool->status()).pending_runs <= 2 * 18);
  vfs.disk().hangs = false;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == kRuns; }));
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.lost_documents > 0);
  std::uint64_t told = 0;
  for (const auto& loss : must(spool->losses())) told += loss.documents;
  CHECK(told == status.lost_documents);
  spool.reset();
  spool = must(Spool::open(folder.path(), options));
  auto state = must(spool->state_of("pg_stats"));
  CHECK(state.size() == 4);
  CHECK(state["cursor"] == large(kRuns - 1));
  for (int i = 0; i < 3; ++i) {
    CHECK(std::stoi(state["run " + std::to_string((kRuns - 1 - i) % 3)]) == kRuns - 1 - i);
  }
  CHECK(must(spool->state_of("disk")).at("cursor") == large(kRuns - 1));
  CHECK(must(spool->value("value")) == large(kRuns - 1));
}

TEST_CASE("a run that is larger than what may wait goes to a disk that works") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->seal(run_of({document(std::string(6 << 20, 'x'))}))) == 1);
  CHECK(must(spool->status()).lost_documents == 0);
}

TEST_CASE("delivery that a hanging disk gives no answer to: what had not begun is never done, what had holds nothing back") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  options.pace.delivery_wait_ms = 20;
  auto spool = must(Spool::open(folder.path(), options));
  for (const char* const name : {"a", "b"}) must(spool->seal(run_of({document(name)})));
  REQUIRE(eventually([&] { return must(spool->status()).waiting_batches == 2; }));
  std::optional<spool::Batch> a;
  REQUIRE(eventually([&] {  // a busy machine's disk may need more than 20 ms
    auto next = spool->next(Lane::kBacklog);
    if (next) a = std::move(next).value();
    return a.has_value();
  }));
  vfs.disk().hangs = true;
  SECTION("behind a run") {
    must(spool->seal(run_of({document("c")})));
    REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
    CHECK(spool->acknowledge(a->key).error().code == "spool.busy");
    CHECK(spool->hold(a->key).error().status == PGA_E_TRANSIENT);
  }
  SECTION("in the middle of it") {
    CHECK(spool->hold(a->key).error().code == "spool.busy");
    CHECK(vfs.disk().waiting > 0);
  }
  vfs.disk().hangs = false;
  std::optional<spool::Batch> again;
  REQUIRE(eventually([&] {
    auto next = spool->next(Lane::kBacklog);
    if (next) again = std::move(next).value();
    return again.has_value();
  }));
  CHECK(again->key == a->key);
  CHECK(must(spool->status()).acknowledged_documents == 0);
}

TEST_CASE("a stop has one deadline for all that waits for a disk that hangs") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  options.pace.delivery_wait_ms = options.pace.stop_wait_ms = 3'600'000;
  auto spool = must(Spool::open(folder.path(), options));
  vfs.disk().hangs = true;
  const auto begin = std::chrono::steady_clock::now();
  must(spool->seal(run_of({document("a")})));
  auto waiting = std::async(std::launch::async, [&] { return spool->next(Lane::kLive); });
  spool->stop_waiting_after(begin + std::chrono::milliseconds(10));
  CHECK(waiting.get().error().code == "spool.busy");
  spool.reset();
  CHECK(std::chrono::steady_clock::now() - begin < kHangsAtMost / 2);
  vfs.disk().hangs = false;
  // What was left alone with the disk ends by itself.
  REQUIRE(eventually([&] { return static_cast<bool>(Spool::open(folder.path(), options)); }));
}

TEST_CASE("a run larger than what may wait for a hanging disk stays while it is alone, and is counted when it is in the way") {
  const FaultyVfs vfs;
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.seal_wait_ms = 1;
  auto spool = must(Spool::open(folder.path(), options));
  const auto seal = [&](const char* plugin, std::string payload) {
    auto run = run_of({document(payload)});
    run.plugin = plugin;
    must(spool->seal(std::move(run)));
  };
  vfs.disk().hangs = true;
  seal("disk", "on its way to the disk");
  REQUIRE(eventually([&] { return vfs.disk().waiting > 0; }));
  const std::string huge(spool::kMemoryBytesMax + 1, 'x');
  seal("logs", huge);
  CHECK(must(spool->status()).pending_runs == 1);
  const bool again = GENERATE(false, true);
  if (again) seal("logs", huge);
  vfs.disk().hangs = false;
  const std::uint64_t made = again ? 3 : 2;
  REQUIRE(eventually([&] { return must(spool->status()).produced_documents == made; }));
  const auto status = must(spool->status());
  check_invariant(status);
  CHECK(status.lost_documents == (again ? 2 : 0));
  std::uint64_t told = 0;
  for (const auto& loss : must(spool->losses())) told += loss.reason == "memory" ? loss.documents : 0;
  CHECK(told == status.lost_documents);
}
