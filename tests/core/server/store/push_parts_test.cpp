// Parts of batches, and pushes of one number that meet.
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "core/clock/clock.h"
#include "core/postgres/connection.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using server::store::PushResult;
using Kind = PushResult::Kind;

namespace {

using Texts = std::vector<std::string>;

server::store::Push part_of(const std::string& id, std::uint64_t seq, const std::string& part, const Texts& texts,
                            const std::string& of = "") {
  auto push = push_of(id, seq, texts);
  push.part = part;
  push.of = of;
  return push;
}

Kind kind_of(StoreFixture& fixture, const server::store::Push& push) { return must(fixture.store().push(push)).kind; }

postgres::Connection connect(StoreFixture& fixture) {
  return must(postgres::Connection::open(fixture.conninfo(), {}, {clock::now_monotonic_ns() + 10'000'000'000, -1}));
}

void run(postgres::Connection& connection, const std::string& sql) {
  must(connection.execute(sql, {clock::now_monotonic_ns() + 10'000'000'000, -1}));
}

}  // namespace

TEST_CASE("the parts of a batch are stored beside each other, each once") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Texts first = {R"({"n":1})"}, second = {R"({"n":2})"}, third = {R"({"n":3})"};
  CHECK(kind_of(fixture, part_of(id, 1, "0", first)) == Kind::kStored);
  CHECK(kind_of(fixture, part_of(id, 1, "1/0", second)) == Kind::kStored);
  CHECK(kind_of(fixture, part_of(id, 1, "1/1", third)) == Kind::kStored);
  CHECK(kind_of(fixture, part_of(id, 1, "0", first)) == Kind::kDuplicate);
  CHECK(kind_of(fixture, part_of(id, 1, "1/1", third)) == Kind::kDuplicate);
  CHECK(kind_of(fixture, part_of(id, 1, "1/1", first)) == Kind::kConflict);
  const auto all = fixture.read_all(id);
  REQUIRE(all.size() == 3);
  std::string parts;
  for (const auto& document : all) parts += document.part + " ";
  CHECK(parts.find("1/0") != std::string::npos);
  CHECK(fixture.store().collector(id)->batches == 3);
}

TEST_CASE("a part whose whole is there is there, if it is of that whole; a whole of which a part is there goes in halves") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Texts whole = {R"({"n":1})", R"({"n":2})"}, half = {R"({"n":2})"};
  const std::string digest = push_of(id, 1, whole).digest_sha256, other(64, '0');
  REQUIRE(kind_of(fixture, push_of(id, 1, whole)) == Kind::kStored);
  for (const auto& [part, of] : {std::pair{"0", digest}, {"1", digest}, {"0/1", digest + "/" + other}}) {
    const auto result = must(fixture.store().push(part_of(id, 1, part, half, of)));
    CHECK(result.kind == Kind::kDuplicate);
    CHECK(result.accepted == 1);
  }
  // Another history under the same number must not be swallowed, nor what does not say.
  CHECK(kind_of(fixture, part_of(id, 1, "0", half, other)) == Kind::kConflict);
  CHECK(kind_of(fixture, part_of(id, 1, "0/1", half, other + "/" + digest)) == Kind::kConflict);
  CHECK(kind_of(fixture, part_of(id, 1, "0", half)) == Kind::kConflict);
  REQUIRE(kind_of(fixture, part_of(id, 2, "0/1", half)) == Kind::kStored);
  CHECK(kind_of(fixture, push_of(id, 2, whole)) == Kind::kPartStored);
  CHECK(kind_of(fixture, part_of(id, 2, "0", whole)) == Kind::kPartStored);
  const std::string half_digest = push_of(id, 2, half).digest_sha256;
  CHECK(kind_of(fixture, part_of(id, 2, "0/1/0", half, digest + "/" + other + "/" + half_digest)) == Kind::kDuplicate);
  // Neighbours are no relatives.
  CHECK(kind_of(fixture, part_of(id, 2, "0/0", half)) == Kind::kStored);
  CHECK(kind_of(fixture, part_of(id, 2, "1", half)) == Kind::kStored);
  CHECK(fixture.read_all(id).size() == 5);
}

TEST_CASE("while a number is being stored, another push of it is told so at once, whole or part") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Texts texts = {R"({"n":1})"};
  postgres::Connection other = connect(fixture);
  run(other, "begin");
  run(other, "select pg_advisory_xact_lock(hashtextextended('" + id + "." + kEpoch + ".1', 0))");
  const std::int64_t before_ns = clock::now_monotonic_ns();
  CHECK(kind_of(fixture, push_of(id, 1, texts)) == Kind::kInProgress);
  CHECK(kind_of(fixture, part_of(id, 1, "0", texts)) == Kind::kInProgress);
  CHECK(clock::now_monotonic_ns() - before_ns < 1'000'000'000);
  CHECK(kind_of(fixture, push_of(id, 2, texts)) == Kind::kStored);
  run(other, "commit");
  CHECK(kind_of(fixture, push_of(id, 1, texts)) == Kind::kStored);
}

TEST_CASE("sixteen clients push the same numbers in wholes and halves, each document is stored once") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  constexpr int kClients = 16, kPushes = 400, kNumbers = 300;
  std::atomic<int> wrong{0}, stored{0}, in_progress{0}, pushes{0};
  std::mutex mutex;
  std::string failure;
  const std::int64_t begin_ns = clock::now_monotonic_ns();
  together(kClients, [&](int client) {
    std::mt19937 random(static_cast<unsigned>(client) + 1);
    for (int i = 0; i < kPushes; ++i) {
      const std::uint64_t seq = random() % kNumbers + 1;
      const std::string n = std::to_string(seq);
      const Texts halves = {R"({"half":0,"seq":)" + n + "}", R"({"half":1,"seq":)" + n + "}"};
      const unsigned form = static_cast<unsigned>(random() % 3);
      const Texts some = form == 2 ? halves : Texts{halves[form]};
      const std::string of = form == 2 ? "" : push_of(id, seq, halves).digest_sha256;
      const auto push = part_of(id, seq, form == 2 ? "" : std::to_string(form), some, of);
      for (;;) {
        ++pushes;
        const auto result = fixture.store().push(push);
        if (result && result->kind == Kind::kInProgress) {
          ++in_progress;
          std::this_thread::yield();
          continue;
        }
        if (result && result->kind == Kind::kStored) ++stored;
        // Only a whole can meet a half that is there already.
        if (!result || result->kind == Kind::kConflict || (result->kind == Kind::kPartStored && form != 2)) {
          ++wrong;
          const std::lock_guard lock(mutex);
          failure = result ? "conflict" : result.error().message;
        }
        break;
      }
    }
  });
  const double seconds = static_cast<double>(clock::now_monotonic_ns() - begin_ns) / 1e9;
  WARN(std::to_string(pushes) + " pushes in " + std::to_string(seconds) + " s, " + std::to_string(in_progress) + " in progress");
  INFO(failure);
  CHECK(wrong == 0);
  CHECK(fixture.value("select count(*) from pganalytics.batches") == std::to_string(stored));
  // Whoever took part in a number, of each of its halves there is at most one document.
  CHECK(fixture.value(
            "select count(*) from (select seq, document->>'half' from pganalytics.documents group by 1, 2 having count(*) > "
            "1) as twice") == "0");
  CHECK(fixture.value("select count(*) from pganalytics.documents") ==
        fixture.value("select sum(accepted) from pganalytics.batches"));
  CHECK(std::to_string(fixture.store().collector(id)->documents) == fixture.value("select count(*) from pganalytics.documents"));
}

TEST_CASE("read-only, full, locked, out of connections: each is a matter of time, none a fault of the push") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Texts texts = {R"({"n":1})"};
  const auto push_fails_for_now = [&] {
    const auto result = fixture.store().push(push_of(id, 1, texts));
    REQUIRE_FALSE(result);
    CAPTURE(result.error().code, result.error().message);
    CHECK((result.error().status == PGA_E_TRANSIENT || result.error().status == PGA_E_DEADLINE));
  };
  SECTION("read-only, as after a failover") {
    static_cast<void>(fixture.value("alter database " + fixture.database() + " set default_transaction_read_only = on"));
    static_cast<void>(
        fixture.value("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = "
                      "current_database() and pid <> pg_backend_pid()"));
    std::string code;
    for (int i = 0; i < 10 && code != "25006"; ++i) {  // first the connections are found to be gone
      const auto result = fixture.store().push(push_of(id, 1, texts));
      REQUIRE_FALSE(result);
      CHECK(result.error().status == PGA_E_TRANSIENT);
      code = result.error().code;
    }
    CHECK(code == "25006");
  }
  SECTION("what PostgreSQL says when the disk is full or broken") {
    for (const char* code : {"53100", "53200", "58030", "40P01", "57P03"}) {
      CAPTURE(code);
      static_cast<void>(
          fixture.value("create or replace function pganalytics.fail() returns trigger language plpgsql as $$ begin "
                        "raise exception 'no' using errcode = '" +
                        std::string(code) + "'; end $$"));
      static_cast<void>(
          fixture.value("create or replace trigger fail before insert on pganalytics.documents for each row execute "
                        "function pganalytics.fail()"));
      push_fails_for_now();
    }
    static_cast<void>(fixture.value("drop function pganalytics.fail() cascade"));
    CHECK(kind_of(fixture, push_of(id, 1, texts)) == Kind::kStored);
  }
  SECTION("a table that somebody else has locked") {
    postgres::Connection other = connect(fixture);
    run(other, "begin");
    run(other, "lock table pganalytics.documents in access exclusive mode");
    push_fails_for_now();  // lock_timeout
    run(other, "rollback");
    CHECK(kind_of(fixture, push_of(id, 1, texts)) == Kind::kStored);
  }
  SECTION("no connection to be had") {
    static_cast<void>(fixture.value("create role busy login connection limit 0"));
    static_cast<void>(fixture.value("grant all on database " + fixture.database() + " to busy"));
    const auto store = server::store::Store::open({fixture.conninfo() + " user=busy", 2});
    REQUIRE_FALSE(store);
    CHECK(store.error().status == PGA_E_TRANSIENT);
  }
  CHECK(fixture.read_all(id).size() <= 1);
}

TEST_CASE("whoever was killed while storing leaves the number free") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Texts texts = {R"({"n":1})"};
  postgres::Connection other = connect(fixture);
  run(other, "begin");
  run(other, "select pg_advisory_xact_lock(hashtextextended('" + id + "." + kEpoch + ".1', 0))");
  run(other, "insert into pganalytics.batches (collector_id, epoch, seq, digest_sha256, accepted, rejected) values ('" + id +
                 "', '" + kEpoch + "', 1, 'x', 1, 0)");
  CHECK(kind_of(fixture, push_of(id, 1, texts)) == Kind::kInProgress);
  static_cast<void>(
      fixture.value("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> "
                    "pg_backend_pid() and state = 'idle in transaction'"));
  Kind kind = Kind::kInProgress;
  REQUIRE(testing::eventually([&] { return (kind = kind_of(fixture, push_of(id, 1, texts))) != Kind::kInProgress; }));
  CHECK(kind == Kind::kStored);
}
