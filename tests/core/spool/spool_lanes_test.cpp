// Two lanes, hold and release, halves, new keys, marks that outlive the process, clones, and the format before this one.
#include "core/schema/json_text.h"
#include "tests/core/spool/spool_fixture.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;

namespace {

rapidjson::Document envelope_of(const spool::Batch& batch) {
  return must(schema::parse_json(must(compression::expand(batch.encoding, batch.body, 1 << 24))));
}

std::string payloads_of(const spool::Batch& batch) {
  const auto envelope = envelope_of(batch);
  std::string all;
  for (const auto& document : envelope["metrics"].GetArray()) all += document["payload"].GetString();
  return all;
}

spool::Batch next_of(Spool& spool, Lane lane) {
  auto batch = must(spool.next(lane));
  REQUIRE(batch.has_value());
  return std::move(*batch);
}

void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  char* message = nullptr;
  const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message);
  INFO((message != nullptr ? message : ""));
  REQUIRE(code == SQLITE_OK);
  sqlite3_close(database);
}

constexpr const char* kFormat1 = R"sql(
-- One row per epoch that ever was; the newest id is the one that grows. Documents: produced = acknowledged + lost + those in batch.
CREATE TABLE epoch (
  id           INTEGER PRIMARY KEY,
  epoch        TEXT NOT NULL UNIQUE,      -- 32 hex digits
  collector_id TEXT NOT NULL,             -- whose envelopes these are; '' before registration
  last_seq     INTEGER NOT NULL DEFAULT 0,
  produced     INTEGER NOT NULL DEFAULT 0,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  lost         INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Sealed batches of the newest epoch that wait for the server.
CREATE TABLE batch (
  seq            INTEGER PRIMARY KEY,
  plugin         TEXT NOT NULL,
  documents      INTEGER NOT NULL,
  first_unix_ns  INTEGER NOT NULL,
  last_unix_ns   INTEGER NOT NULL,
  sealed_unix_ns INTEGER NOT NULL,
  encoding       TEXT NOT NULL,           -- of body: HTTP's token
  crc32          INTEGER NOT NULL,        -- of body: zlib's CRC-32
  body_bytes     INTEGER NOT NULL,
  body           BLOB NOT NULL            -- last, so that the columns above are read without it
) STRICT;

-- Committed state of each plugin: cursors and what else it keeps.
CREATE TABLE state (
  plugin TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  BLOB NOT NULL,
  PRIMARY KEY (plugin, key)
) STRICT, WITHOUT ROWID;

-- The loss ledger. carrier: seq of the "collector" batch that reports the row; it is forgotten when that one is acknowledged.
CREATE TABLE loss (
  id            INTEGER PRIMARY KEY,
  reason        TEXT NOT NULL,
  epoch         TEXT NOT NULL,
  first_seq     INTEGER NOT NULL,
  last_seq      INTEGER NOT NULL,
  documents     INTEGER NOT NULL,
  first_unix_ns INTEGER NOT NULL,
  last_unix_ns  INTEGER NOT NULL,
  carrier       INTEGER
) STRICT;

-- Small values of the collector itself.
CREATE TABLE value (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
)sql";

}  // namespace

TEST_CASE("the live lane gives the newest, the backlog the oldest, and never both the same") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name)})));
  const auto live = next_of(*spool, Lane::kLive), old = next_of(*spool, Lane::kBacklog);
  CHECK(payloads_of(live) == "c");
  CHECK(payloads_of(old) == "a");
  must(spool->seal(run_of({document("d")})));
  CHECK(next_of(*spool, Lane::kLive).key == live.key);  // until it has ended
  must(spool->acknowledge(live.key));
  const auto d = next_of(*spool, Lane::kLive);
  CHECK(payloads_of(d) == "d");
  must(spool->acknowledge(d.key));
  CHECK(payloads_of(next_of(*spool, Lane::kLive)) == "b");
  must(spool->acknowledge(old.key));
  CHECK_FALSE(must(spool->next(Lane::kBacklog)));
}

TEST_CASE("a held batch is passed over until it is released, and caps may drop it") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  auto spool = must(Spool::open(folder.path(), options));
  for (const char* const name : {"a", "b"}) must(spool->seal(run_of({document(name)})));
  const auto a = next_of(*spool, Lane::kBacklog);
  must(spool->hold(a.key));
  CHECK(payloads_of(next_of(*spool, Lane::kBacklog)) == "b");
  CHECK_FALSE(must(spool->next(Lane::kLive)));
  spool->release(a.key);
  CHECK(payloads_of(next_of(*spool, Lane::kLive)) == "a");
  must(spool->hold(a.key));
  spool->set_caps({1, 3'600'000, 0});
  must(spool->seal(run_of({document("c")})));
  CHECK(must(spool->losses()).at(0).first_seq == a.key.seq);
  spool->release(a.key);
  CHECK(spool->hold(a.key).error().status == PGA_E_NOTFOUND);
  check_invariant(must(spool->status()));
}

TEST_CASE("halves take the place of a batch that is too large: by documents, always the same, in one step") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  must(spool->seal(run_of({document("poison")})));
  must(spool->set_aside(key_of(*spool, 1), "poison"));
  auto run = run_of({document("1", "2026-02-03T00:00:01.000Z"), document("2", "2026-02-03T00:00:02.000Z"),
                     document("3", "2026-02-03T00:00:03.000Z")});
  run.reported_losses = {must(spool->losses()).at(0)};
  must(spool->seal(std::move(run)));
  must(spool->seal(run_of({document("4")})));
  const auto whole = next_of(*spool, Lane::kBacklog);
  CHECK(must(spool->split(whole.key)));
  CHECK(spool->split(whole.key).error().status == PGA_E_NOTFOUND);
  const auto first = next_of(*spool, Lane::kBacklog);
  CHECK(first.key.text() == whole.key.epoch + ".2/0");
  CHECK(payloads_of(first) == "1");
  const auto envelope = envelope_of(first);
  CHECK(envelope["part"] == "0");
  CHECK(envelope["seq"].GetUint64() == 2);
  CHECK(must(spool->status()).waiting_batches == 3);
  check_invariant(must(spool->status()));
  CHECK_FALSE(must(spool->split(first.key)));
  CHECK(must(spool->losses()).empty());
  must(spool->acknowledge(first.key));
  const auto second = next_of(*spool, Lane::kBacklog);
  CHECK(second.key.part == "1");
  CHECK(payloads_of(second) == "23");
  CHECK(second.last_unix_ns - second.first_unix_ns == 1'000'000'000);
  CHECK(must(spool->split(second.key)));
  const auto last = next_of(*spool, Lane::kLive);
  CHECK(payloads_of(last) == "4");
  must(spool->acknowledge(last.key));
  CHECK(next_of(*spool, Lane::kLive).key.part == "1/1");
  CHECK(next_of(*spool, Lane::kBacklog).key.part == "1/0");
  must(spool->set_aside({whole.key.epoch, 2, "1/0"}, "too_large"));
  must(spool->set_aside({whole.key.epoch, 2, "1/1"}, "too_large"));
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].documents == 2);
  CHECK(losses[0].first_seq == 2);
  CHECK(losses[0].last_seq == 2);
  check_invariant(must(spool->status()));
}

TEST_CASE("a key that the server has for other content costs that batch a new epoch, and leaves the others alone") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name)})));
  const auto a = next_of(*spool, Lane::kBacklog);
  must(spool->rekey(a.key));
  auto again = next_of(*spool, Lane::kBacklog);
  CHECK(payloads_of(again) == "a");
  CHECK(again.key.epoch != a.key.epoch);
  CHECK(again.key.seq == 1);
  CHECK(envelope_of(again)["epoch"] == again.key.epoch.c_str());
  CHECK(must(spool->seal(run_of({document("d")}))) == 2);
  must(spool->acknowledge(again.key));
  const auto b = next_of(*spool, Lane::kBacklog);
  CHECK(b.key.epoch == a.key.epoch);
  must(spool->rekey(b.key));  // its epoch has ended: the one that grows takes it
  CHECK(next_of(*spool, Lane::kBacklog).key == spool::BatchKey{again.key.epoch, 3, ""});
  CHECK(spool->rekey(a.key).error().status == PGA_E_NOTFOUND);
  const auto status = must(spool->status());
  CHECK(status.produced_documents == 4);
  CHECK(status.epoch == again.key.epoch);
  check_invariant(status);
  spool.reset();
  spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->status()).waiting_documents == 3);
  CHECK(must(spool->status()).epoch == again.key.epoch);
}

TEST_CASE("a batch whose bytes rot while it is out cannot be halved or get another key; it is counted when it comes next") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.pace.failures = 1;  // that of a batch is none of the disk
  auto spool = must(Spool::open(folder.path(), options));
  must(spool->seal(run_of({document("1"), document("2")})));
  must(spool->seal(run_of({document("b")})));
  const auto out = next_of(*spool, Lane::kBacklog);
  run_sql(folder / "spool.db", "UPDATE batch SET body = zeroblob(body_bytes) WHERE seq = 1");
  CHECK(spool->split(out.key).error().code == "spool.corrupt_batch");
  CHECK(spool->rekey(out.key).error().code == "spool.corrupt_batch");
  CHECK(must(spool->status()).mode == "disk");
  CHECK(payloads_of(next_of(*spool, Lane::kBacklog)) == "b");
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].reason == "corrupt");
  CHECK(losses[0].documents == 2);
  check_invariant(must(spool->status()));
}

TEST_CASE("what rotted cannot be sealed again for another collector id: it is counted, the others move on") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  {
    auto spool = must(Spool::open(folder.path(), options));
    for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name)})));
  }
  run_sql(folder / "spool.db", "UPDATE batch SET body = zeroblob(body_bytes) WHERE seq = 2");
  options.collector_id = "99999999-2222-4333-8444-555555555555";
  auto spool = must(Spool::open(folder.path(), options));
  CHECK(must(spool->losses()).at(0).reason == "corrupt");
  CHECK(must(spool->status()).lost_documents == 1);
  for (const char* const name : {"a", "c"}) {
    const auto batch = next_of(*spool, Lane::kBacklog);
    CHECK(payloads_of(batch) == name);
    CHECK(envelope_of(batch)["collector_id"] == options.collector_id.c_str());
    must(spool->acknowledge(batch.key));
  }
  check_invariant(must(spool->status()));
}

TEST_CASE("what was handed out is spared by every cap and comes first, also after a SIGKILL") {
  const Folder folder;
  HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.max_bytes = 2500;
  options.max_age_ms = 3'600'000;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto opened = Spool::open(folder.path(), options);
    if (!opened) ::_exit(1);
    for (int i = 0; i < 3; ++i) {
      if (!(*opened)->seal(run_of({document(std::to_string(i))}))) ::_exit(2);
    }
    const auto first = (*opened)->next(Lane::kBacklog);
    const auto newest = (*opened)->next(Lane::kLive);
    if (!first || !newest || !(*opened)->hold(newest.value()->key)) ::_exit(3);
    ::kill(::getpid(), SIGKILL);
  }
  int how = 0;
  REQUIRE(::waitpid(child, &how, 0) == child);
  REQUIRE(WIFSIGNALED(how));
  auto spool = must(Spool::open(folder.path(), options));
  clock.now += 7'200'000'000'000;
  for (int i = 0; i < 5; ++i) must(spool->seal(run_of({document(std::string(800, 'x'))})));
  CHECK(payloads_of(next_of(*spool, Lane::kLive)) == "0");
  CHECK(must(spool->losses()).at(0).first_seq == 2);  // held is not in doubt
  CHECK(next_of(*spool, Lane::kBacklog).key.seq != 1);
  check_invariant(must(spool->status()));
}

TEST_CASE("a copy of a spool gets an epoch of its own; what waits keeps its keys") {
  const Folder folder, other;
  const HandClock clock;
  std::string epoch;
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    must(spool->seal(run_of({document("a")})));
    epoch = must(spool->status()).epoch;
  }
  std::filesystem::copy_file(folder / "spool.db", other / "spool.db");
  auto copy = must(Spool::open(other.path(), options_with(clock)));
  CHECK(must(copy->status()).epoch != epoch);
  CHECK(must(copy->seal(run_of({document("b")}))) == 1);
  CHECK(next_of(*copy, Lane::kBacklog).key == spool::BatchKey{epoch, 1, ""});
  CHECK(must(copy->status()).produced_documents == 2);
  check_invariant(must(copy->status()));
  copy.reset();
  const std::string its_epoch = must(must(Spool::open(other.path(), options_with(clock)))->status()).epoch;
  CHECK(its_epoch == must(must(Spool::open(other.path(), options_with(clock)))->status()).epoch);
  CHECK(must(must(Spool::open(folder.path(), options_with(clock)))->status()).epoch == epoch);
}

TEST_CASE("a wall clock that is set while the collector runs makes nothing old") {
  class TwoClocks : public clock::Clock {
   public:
    [[nodiscard]] std::int64_t unix_ns() const override { return wall; }
    [[nodiscard]] std::int64_t monotonic_ns() const override { return monotonic; }
    std::int64_t wall = 1'770'091'445'678'000'000, monotonic = 5'000'000'000;
  } clock;
  const Folder folder;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  must(spool->seal(run_of({document("a")})));
  const std::int64_t year_ns = 365LL * 24 * 3600 * 1'000'000'000;
  for (const std::int64_t step : {year_ns, -2 * year_ns, year_ns / 100}) {
    clock.wall += step;
    clock.monotonic += 1'000'000'000;
    must(spool->seal(run_of({document("b")})));
    CHECK(must(spool->status()).lost_documents == 0);
  }
  clock.monotonic += 49LL * 3600 * 1'000'000'000;
  must(spool->seal(run_of({document("c")})));
  CHECK(must(spool->status()).lost_documents == 4);
  check_invariant(must(spool->status()));
}

TEST_CASE("an outage of 24 hours and more at the caps: what is dropped is counted to the document") {
  const Folder folder;
  HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.max_age_ms = 24LL * 3600 * 1000;
  options.max_bytes = 200'000;
  auto spool = must(Spool::open(folder.path(), options));
  for (int i = 0; i < 600; ++i) {  // 30 hours, a run each three minutes
    clock.now += 180'000'000'000;
    must(spool->seal(run_of({document(std::string(300, 'x')), document("y")})));
  }
  const auto status = must(spool->status());
  CHECK(status.produced_documents == 1200);
  CHECK(status.waiting_bytes <= 200'000);
  check_invariant(status);
  std::uint64_t told = 0;
  for (const auto& loss : must(spool->losses())) told += loss.documents;
  CHECK(told == status.lost_documents);
  std::uint64_t expected = must(spool->losses()).back().last_seq;
  while (const auto batch = must(spool->next(Lane::kBacklog))) {
    REQUIRE(batch->key.seq == ++expected);
    must(spool->acknowledge(batch->key));
  }
  CHECK(expected == 600);
}

TEST_CASE("a file of format 1 is rewritten: batches under the keys they had, books, state, losses") {
  const Folder folder;
  const HandClock clock;
  const std::string epoch = "00112233445566778899aabbccddeeff", path = folder / "spool.db";
  auto options = options_with(clock);
  const std::string body =
      R"({"collector_id":"x","hostname":"db1","version":"0","epoch":")" + epoch + R"(","seq":3,"metrics":[{"payload":"old"}]})";
  run_sql(path, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
  run_sql(path, kFormat1);
  unsigned long crc = 0xFFFFFFFFUL;  // CRC-32 as zlib has it
  for (const char c : body) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320UL : crc >> 1;
  }
  crc ^= 0xFFFFFFFFUL;
  run_sql(path, "INSERT INTO epoch VALUES (1, '" + epoch + "', '" + options.collector_id +
                    "', 3, 3, 1, 1);"
                    "INSERT INTO batch VALUES (3, 'pg_stats', 1, 5, 6, " +
                    std::to_string(clock.now) + ", 'identity', " + std::to_string(crc) + ", " + std::to_string(body.size()) +
                    ", CAST('" + body +
                    "' AS BLOB));"
                    "INSERT INTO state VALUES ('logs', 'cursor', x'3432');"
                    "INSERT INTO loss VALUES (1, 'age', '" +
                    epoch +
                    "', 1, 1, 1, 5, 6, NULL);"
                    "INSERT INTO loss VALUES (2, 'size', '" +
                    epoch +
                    "', 2, 2, 1, 5, 6, 3);"
                    "INSERT INTO value VALUES ('config.etag', x'37');");
  auto spool = must(Spool::open(folder.path(), options));
  const auto status = must(spool->status());
  CHECK(status.epoch == epoch);
  CHECK(status.last_seq == 3);
  CHECK(status.produced_documents == 3);
  CHECK(status.lost_documents == 1);
  CHECK(must(spool->state_of("logs")).at("cursor") == "42");
  CHECK(must(spool->value("config.etag")) == std::optional<std::string>("7"));
  REQUIRE(must(spool->losses()).size() == 1);
  CHECK(must(spool->losses())[0].reason == "age");
  const auto batch = next_of(*spool, Lane::kBacklog);
  CHECK(batch.key == spool::BatchKey{epoch, 3, ""});
  CHECK(batch.body == body);
  must(spool->set_aside(batch.key, "poison"));
  CHECK(must(spool->losses()).size() == 3);  // its messenger is gone
  CHECK(must(spool->seal(run_of({document("new")}))) == 4);
  check_invariant(must(spool->status()));
}

TEST_CASE("a file of format 1 in which nothing was written yet becomes a new spool") {
  const Folder folder;
  const HandClock clock;
  run_sql(folder / "spool.db", "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
  run_sql(folder / "spool.db", kFormat1);
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->seal(run_of({document("a")}))) == 1);
  CHECK(must(spool->status()).mode == "disk");
  check_invariant(must(spool->status()));
}
