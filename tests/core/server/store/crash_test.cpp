// PostgreSQL dies in the middle of things and comes back.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST_CASE("while the database is away every call says try again; when it is back, so are we") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  REQUIRE(fixture.store().ping());
  fixture.server().stop(false);
  const auto asked = fixture.store().collectors();
  const std::vector<std::string> texts = {"{}"};
  const auto pushed = fixture.store().push(push_of(id, 1, texts));
  const Outcome pinged = fixture.store().ping();
  fixture.server().start();
  REQUIRE_FALSE(asked);
  CHECK(asked.error().status == PGA_E_TRANSIENT);
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().status == PGA_E_TRANSIENT);
  REQUIRE_FALSE(pinged);
  CHECK(pinged.error().status == PGA_E_TRANSIENT);
  CHECK(fixture.store().ping());
  CHECK(fixture.store().push(push_of(id, 1, texts)));
  CHECK(fixture.read_all(id).size() == 1);
}

TEST_CASE("a restart between two calls costs at most the connections, not the calls") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  together(8, [&](int) { static_cast<void>(fixture.store().collectors()); });  // fill the pool
  fixture.server().stop(false);
  fixture.server().start();
  REQUIRE(testing::eventually([&] { return static_cast<bool>(fixture.store().ping()); }));
  for (int i = 0; i < 20; ++i) CHECK(fixture.store().collector(id));
}

TEST_CASE("PostgreSQL crashes under load: no half batch, nothing acknowledged is lost, nothing stored twice") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  constexpr int kThreads = 6;
  constexpr std::uint64_t kPerThread = 150;
  constexpr std::size_t kDocuments = 10;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  int crashes = 0;
  std::atomic<std::uint64_t> acknowledged{0};
  const auto push_all = [&](int thread) {
    for (std::uint64_t i = 0; i < kPerThread; ++i) {
      const std::uint64_t seq = static_cast<std::uint64_t>(thread) * kPerThread + i + 1;
      const std::vector<std::string> texts(kDocuments, "{\"seq\":" + std::to_string(seq) + "}");
      const auto deadline = Clock::now() + 60s;
      for (;;) {  // as a collector does: again until it is acknowledged
        const auto result = fixture.store().push(push_of(id, seq, texts));
        if (result && result.value().accepted == kDocuments) break;
        const bool in_progress = result && result->kind == server::store::PushResult::Kind::kInProgress;
        const bool may_pass = in_progress || (!result && result.error().status == PGA_E_TRANSIENT);
        if (!may_pass || Clock::now() > deadline) {
          ++wrong;
          break;
        }
        std::this_thread::sleep_for(5ms);
      }
      ++acknowledged;
    }
  };
  std::thread collectors([&] {
    together(kThreads, push_all);
    done = true;
  });
  // From this thread, which outlives the server: one that is started by a thread ends with it.
  while (!done && crashes < 4) {
    const std::uint64_t at = acknowledged;
    while (!done && acknowledged < at + 60) std::this_thread::yield();
    if (done) break;
    fixture.server().stop(false);
    fixture.server().start();
    ++crashes;
  }
  collectors.join();
  CHECK(crashes >= 1);
  CHECK(wrong == 0);
  constexpr auto kBatches = kThreads * kPerThread;
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.batches") == std::to_string(kBatches));
  CHECK(fixture.value("SELECT count(*) FROM pganalytics.documents") == std::to_string(kBatches * kDocuments));
  CHECK(fixture.value("SELECT count(*) FROM (SELECT seq FROM pganalytics.documents GROUP BY epoch, seq HAVING count(*) <> " +
                      std::to_string(kDocuments) + ") AS halves") == "0");
  CHECK(fixture.store().collector(id).value().batches == kBatches);
}
