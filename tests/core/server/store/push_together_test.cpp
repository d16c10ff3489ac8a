// Pushes that share a transaction, on a real PostgreSQL.
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/clock/clock.h"
#include "core/postgres/connection.h"
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::PushResult;
using Kind = PushResult::Kind;

namespace {

// Others' transactions wait for it, so that pushes pile up.
class Obstacle {
 public:
  explicit Obstacle(StoreFixture& fixture) : connection_(must(postgres::Connection::open(fixture.conninfo(), {}, soon()))) {
    must(connection_.execute("begin; lock table pganalytics.documents in exclusive mode", soon()));
  }
  void remove() { must(connection_.execute("commit", soon())); }

 private:
  static postgres::Deadline soon() { return {clock::now_monotonic_ns() + 20 * kSecond, -1}; }
  postgres::Connection connection_;
};

// What `count` threads pushed while none could be stored: each its answer.
struct Pile {
  explicit Pile(int count) : kinds(static_cast<std::size_t>(count)), errors(static_cast<std::size_t>(count)) {}
  std::vector<std::optional<Kind>> kinds;
  std::vector<std::string> errors;

  void push(server::store::Store& store, std::size_t i, const server::store::Push& push) {
    const auto result = store.push(push);
    if (result) {
      kinds[i] = result->kind;
    } else {
      errors[i] = result.error().code;
    }
  }
};

constexpr int kTransactions = 2;  // at once, of a store with eight connections

// All of them wait, but for those whose transactions are under way.
void wait_until_piled_up(StoreFixture& fixture, int pushes) {
  REQUIRE(
      eventually([&] { return fixture.store().numbers().waiting_pushes == static_cast<std::size_t>(pushes - kTransactions); }));
}

}  // namespace

TEST_CASE("pushes that wait at the same time are stored in one transaction, each with its own rows") {
  StoreFixture fixture;
  const Plugin plugin = add_plugin(fixture.store(), "tables", kTablesSchema);
  constexpr int kPushes = 12;
  std::vector<std::string> collectors, texts;
  for (int i = 0; i < kPushes; ++i) {
    collectors.push_back(fixture.enrol("db" + std::to_string(i)));
    texts.push_back(R"({"tables":[{"name":"t","scans":)" + std::to_string(100 + i) + R"(},{"name":"u)" + std::to_string(i) +
                    R"(","owner":"o)" + std::to_string(i) + R"(","scans":7}],"errors":[{"message":"e)" + std::to_string(i) +
                    R"("}]})");
  }
  Obstacle obstacle(fixture);
  Pile pile(kPushes);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kPushes; ++i) {
    threads.emplace_back([&, i] {
      // One brings no rows, as if its schema was not known.
      const auto rows = i == 5 ? nullptr : rows_of(plugin, collectors[i], {texts[i]}, kStart);
      const std::vector<std::string> own{texts[i]};
      auto push = push_of(collectors[i], 1, own);
      push.rows = rows.get();
      pile.push(fixture.store(), i, push);
    });
  }
  wait_until_piled_up(fixture, kPushes);
  obstacle.remove();
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < kPushes; ++i) {
    INFO(i << " " << pile.errors[i]);
    CHECK(pile.kinds[i] == Kind::kStored);
    REQUIRE(fixture.read_all(collectors[i]).size() == 1);
    CHECK(fixture.read_all(collectors[i]).front().document == texts[i]);
    const std::string of = "from pganalytics.series s join pganalytics.points p on p.series_id = s.id where s.collector_id = '" +
                           collectors[i] + "'";
    CHECK(fixture.value("select count(*) " + of) == (i == 5 ? "0" : "2"));
    if (i != 5)
      CHECK(fixture.value("select " + std::to_string(100 + i) + " = any(fields) " + of + " and s.labels[1] = 't'") == "t");
    CHECK(fixture.value("select count(*) from pganalytics.events where collector_id = '" + collectors[i] + "'") ==
          (i == 5 ? "0" : "1"));
    CHECK(fixture.store().collector(collectors[i])->documents == 1);
  }
  CHECK(std::stoi(fixture.value("select count(distinct xmin::text) from pganalytics.batches")) <= 4);
}

TEST_CASE("of pushes that are stored together each has its own answer") {
  StoreFixture fixture;
  const std::vector<std::string> texts = {R"({"a":1})"}, others = {R"({"a":2})"};
  const std::string known = fixture.enrol("known"), other = fixture.enrol("other"), revoked = fixture.enrol("revoked"),
                    fresh = fixture.enrol("fresh"), bare = fixture.enrol("bare"), first = fixture.enrol("first"),
                    second = fixture.enrol("second");
  REQUIRE(fixture.store().push(push_of(known, 1, texts)));
  REQUIRE(fixture.store().push(push_of(other, 1, texts)));
  const std::uint64_t version = must(fixture.store().put_config(fresh, R"({"retention_days":9})"));
  Obstacle obstacle(fixture);
  Pile pile(7);
  std::optional<std::uint64_t> told;
  std::vector<std::thread> threads;
  const auto push = [&](std::size_t i, const std::string& collector, const std::vector<std::string>& what) {
    threads.emplace_back([&, i, collector] { pile.push(fixture.store(), i, push_of(collector, 1, what)); });
  };
  push(0, first, texts);
  push(1, second, texts);  // the two transactions that all others wait for
  REQUIRE(eventually([&] { return fixture.value("select count(*) from pg_locks where not granted") == "2"; }));
  push(2, known, texts);
  push(3, other, others);
  push(4, revoked, texts);
  threads.emplace_back([&] {
    const auto result = fixture.store().push(push_of(fresh, 1, texts));
    if (result) told = result->config_version;
  });
  threads.emplace_back([&] {
    auto without_key = push_of(bare, 0, texts);
    without_key.epoch.clear();
    pile.push(fixture.store(), 6, without_key);
  });
  wait_until_piled_up(fixture, 7);
  must(fixture.store().revoke_collector(revoked));
  obstacle.remove();
  for (std::thread& thread : threads) thread.join();
  std::string answers;
  for (std::size_t i = 0; i < pile.kinds.size(); ++i) {
    answers +=
        std::to_string(i) + ": " + (pile.kinds[i] ? std::to_string(static_cast<int>(*pile.kinds[i])) : pile.errors[i]) + "; ";
  }
  INFO(answers);
  CHECK(pile.kinds[0] == Kind::kStored);
  CHECK(pile.kinds[1] == Kind::kStored);
  CHECK(pile.kinds[2] == Kind::kDuplicate);
  CHECK(pile.kinds[3] == Kind::kConflict);
  CHECK(pile.errors[4] == "store.collector");
  CHECK(fixture.read_all(revoked).empty());
  CHECK(told == version);
  CHECK(pile.kinds[6] == Kind::kStored);
  CHECK(fixture.store().collector(known)->batches == 1);
}

TEST_CASE("transactions that share collectors never wait for each other in a circle") {
  StoreFixture fixture;
  const Plugin plugin = add_plugin(fixture.store(), "tables", kTablesSchema);
  std::vector<std::string> collectors;
  for (int i = 0; i < 4; ++i) collectors.push_back(fixture.enrol("db" + std::to_string(i)));
  std::atomic<int> failed{0};
  std::mutex mutex;
  std::string failure;
  together(16, [&](int thread) {
    for (int step = 0; step < 12; ++step) {
      const std::string& collector = collectors[static_cast<std::size_t>(thread + step) % collectors.size()];
      // A new table each time, so that series are made too.
      const std::vector<std::string> texts{R"({"tables":[{"name":"t)" + std::to_string(thread) + "_" + std::to_string(step) +
                                           R"(","owner":"o","scans":1}]})"};
      const auto rows = rows_of(plugin, collector, texts, kStart);
      auto push = push_of(collector, static_cast<std::uint64_t>(thread * 100 + step), texts);
      push.rows = rows.get();
      const auto result = fixture.store().push(push);
      if (result && result->kind == Kind::kStored) continue;
      ++failed;
      const std::lock_guard lock(mutex);
      failure = result ? "not stored" : result.error().message;
    }
  });
  INFO(failure);
  CHECK(failed == 0);
  CHECK(fixture.value("select count(*) from pganalytics.points") == std::to_string(16 * 12));
}
