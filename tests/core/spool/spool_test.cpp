#include "core/spool/spool.h"

#include "core/schema/json_text.h"
#include "core/spool/sqlite.h"
#include "tests/core/spool/spool_fixture.h"

#include <sqlite3.h>
#include <unistd.h>

#include <fstream>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Spool;

namespace {

std::unique_ptr<Spool> open(const Folder& folder, const spool::SpoolOptions& options) {
  return must(Spool::open(folder.path(), options));
}

// The body as the server will see it.
rapidjson::Document envelope_of(const spool::Batch& batch) {
  return must(schema::parse_json(must(compression::expand(batch.encoding, batch.body, 1 << 24))));
}

spool::Batch next_of(Spool& spool) {
  auto batch = must(spool.next(spool::Lane::kBacklog));
  REQUIRE(batch.has_value());
  return std::move(*batch);
}

}  // namespace

TEST_CASE("a sealed run comes out as one batch with everything the push needs") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  const auto seq =
      must(spool->seal(run_of({document("a", "2026-02-03T00:00:00.000Z"), document("b", "2026-02-03T00:00:01.000Z")})));
  CHECK(seq == 1);
  const spool::Batch batch = next_of(*spool);
  CHECK(batch.key.seq == 1);
  CHECK(batch.key.epoch.size() == 32);
  CHECK(batch.key.epoch.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(batch.plugin == "pg_stats");
  CHECK(batch.documents == 2);
  CHECK(batch.last_unix_ns - batch.first_unix_ns == 1'000'000'000);
  const auto envelope = envelope_of(batch);
  CHECK(envelope["collector_id"] == "11111111-2222-4333-8444-555555555555");
  CHECK(envelope["hostname"] == "db1");
  CHECK(envelope["version"] == "0.1.0");
  CHECK(batch.key.epoch == envelope["epoch"].GetString());
  CHECK(envelope["seq"].GetUint64() == 1);
  CHECK(envelope["metrics"].Size() == 2);
  CHECK(envelope["metrics"][1]["payload"] == "b");
}

TEST_CASE("next gives the same bytes until the batch is finished, then the one after it") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  must(spool->seal(run_of({document("a")})));
  must(spool->seal(run_of({document("b")})));
  CHECK(next_of(*spool).body == next_of(*spool).body);
  must(spool->acknowledge(key_of(*spool, 1)));
  CHECK(next_of(*spool).key.seq == 2);
  must(spool->acknowledge(key_of(*spool, 2)));
  CHECK_FALSE(must(spool->next(spool::Lane::kBacklog)).has_value());
  const auto again = spool->acknowledge(key_of(*spool, 2));
  REQUIRE_FALSE(again);
  CHECK(again.error().status == PGA_E_NOTFOUND);
  const auto status = must(spool->status());
  CHECK(status.acknowledged_documents == 2);
  check_invariant(status);
}

TEST_CASE("what was sealed survives closing, and numbering goes on") {
  const Folder folder;
  const HandClock clock;
  std::string epoch, body;
  {
    auto spool = open(folder, options_with(clock));
    must(spool->seal(run_of({document("a")})));
    epoch = must(spool->status()).epoch;
    body = next_of(*spool).body;
  }
  auto spool = open(folder, options_with(clock));
  CHECK(must(spool->status()).epoch == epoch);
  CHECK(next_of(*spool).body == body);
  CHECK(must(spool->seal(run_of({document("b")}))) == 2);
}

TEST_CASE("a run without documents takes no number but keeps its state") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  spool::SealedRun run = run_of({});
  run.state = {{"cursor", std::string("a\0b", 3)}, {"gone", std::nullopt}};
  CHECK(must(spool->seal(std::move(run))) == 0);
  CHECK(must(spool->status()).last_seq == 0);
  CHECK(must(spool->state_of("pg_stats")) == std::map<std::string, std::string>{{"cursor", std::string("a\0b", 3)}});
  CHECK(must(spool->state_of("logs")).empty());
  run = run_of({});
  run.state = {{"cursor", std::nullopt}};
  must(spool->seal(std::move(run)));
  CHECK(must(spool->state_of("pg_stats")).empty());
}

TEST_CASE("instances of one plugin have states of their own") {
  const Folder folder;
  const HandClock clock;
  {
    auto spool = open(folder, options_with(clock));
    for (const char* const name : {"pg_stats", "pg_stats@a", "pg_stats@b"}) {
      spool::SealedRun run = run_of({document(name)});
      run.plugin = name;
      run.state = {{"cursor", std::string("of ") + name}};
      must(spool->seal(std::move(run)));
    }
    spool::SealedRun last = run_of({});
    last.plugin = "pg_stats@a";
    last.state = {{"cursor", std::nullopt}};
    must(spool->seal(std::move(last)));
  }
  auto spool = open(folder, options_with(clock));
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "of pg_stats");
  CHECK(must(spool->state_of("pg_stats@a")).empty());
  CHECK(must(spool->state_of("pg_stats@b")).at("cursor") == "of pg_stats@b");
  CHECK(next_of(*spool).plugin == "pg_stats");
}

TEST_CASE("a second collector is told that the folder is taken, and by whom") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  const auto second = Spool::open(folder.path(), options_with(clock));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == "spool.locked");
  CHECK_THAT(second.error().message, Catch::Contains(folder.path()) && Catch::Contains(std::to_string(::getpid())));
  CHECK_FALSE(second.error().hint.empty());
  spool.reset();
  CHECK(Spool::open(folder.path(), options_with(clock)));
}

TEST_CASE("the size cap drops the oldest and writes down what was lost") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.max_bytes = 4000;
  auto spool = open(folder, options);
  for (int i = 0; i < 10; ++i) must(spool->seal(run_of({document(std::string(800, 'x'))})));
  const auto status = must(spool->status());
  CHECK(status.waiting_bytes <= 4000);
  CHECK(status.waiting_batches == 3);
  check_invariant(status);
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].reason == "size");
  CHECK(losses[0].epoch == status.epoch);
  CHECK(losses[0].first_seq == 1);
  CHECK(losses[0].last_seq == 7);
  CHECK(losses[0].documents == 7);
  CHECK(losses[0].first_unix_ns > 0);
  CHECK(next_of(*spool).key.seq == 8);
}

TEST_CASE("a batch whose push is under way is not dropped under the sender's hands") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  options.max_bytes = 2500;
  auto spool = open(folder, options);
  must(spool->seal(run_of({document(std::string(800, 'x'))})));
  CHECK(next_of(*spool).key.seq == 1);
  for (int i = 0; i < 5; ++i) must(spool->seal(run_of({document(std::string(800, 'x'))})));
  CHECK(next_of(*spool).key.seq == 1);
  must(spool->acknowledge(key_of(*spool, 1)));
  CHECK(must(spool->losses()).at(0).first_seq == 2);
  check_invariant(must(spool->status()));
}

TEST_CASE("the age cap drops what is older than allowed") {
  const Folder folder;
  HandClock clock;
  auto options = options_with(clock);
  options.max_age_ms = 3'600'000;
  auto spool = open(folder, options);
  must(spool->seal(run_of({document("old")})));
  clock.now += 3'700'000'000'000;
  must(spool->seal(run_of({document("new")})));
  CHECK(next_of(*spool).key.seq == 2);
  CHECK(must(spool->losses()).at(0).reason == "age");
  check_invariant(must(spool->status()));
}

TEST_CASE("on a disk below its floor only the newest batch stays, so live data flow") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.keep_free_bytes = std::int64_t{1} << 60;
  auto spool = open(folder, options);
  for (int i = 0; i < 3; ++i) must(spool->seal(run_of({document("x")})));
  CHECK(next_of(*spool).key.seq == 3);
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].reason == "space");
  CHECK(losses[0].documents == 2);
  check_invariant(must(spool->status()));
}

TEST_CASE("a loss is told once, and told again if its messenger is lost") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  must(spool->seal(run_of({document("poison")})));
  must(spool->set_aside(key_of(*spool, 1), "poison"));
  auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);

  auto report = run_of({document("losses")});
  report.reported_losses = {losses[0]};
  CHECK(must(spool->seal(std::move(report))) == 2);
  CHECK(must(spool->losses()).empty());

  must(spool->set_aside(key_of(*spool, 2), "too_large"));
  losses = must(spool->losses());
  REQUIRE(losses.size() == 2);
  report = run_of({document("losses")});
  report.reported_losses = {losses[0], losses[1]};
  CHECK(must(spool->seal(std::move(report))) == 3);
  must(spool->acknowledge(key_of(*spool, 3)));
  CHECK(must(spool->losses()).empty());
  const auto status = must(spool->status());
  CHECK(status.lost_documents == 2);
  check_invariant(status);
}

TEST_CASE("what a loss grows by between its being read and its being told is told later") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name)})));
  must(spool->set_aside(key_of(*spool, 1), "poison"));
  const auto read = must(spool->losses());
  must(spool->set_aside(key_of(*spool, 2), "poison"));
  auto report = run_of({document("one is lost")});
  report.reported_losses = read;
  must(spool->seal(std::move(report)));
  auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].documents == 1);
  CHECK(losses[0].first_seq == 2);
  CHECK(losses[0].last_seq == 2);
  must(spool->set_aside(key_of(*spool, 3), "poison"));
  must(spool->acknowledge(key_of(*spool, 4)));
  losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].documents == 2);
}

TEST_CASE("another collector id begins a new epoch, and what waits is sealed again for it") {
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  std::string old_epoch;
  {
    auto spool = open(folder, options);
    for (const char* const name : {"a", "b", "c"}) must(spool->seal(run_of({document(name)})));
    must(spool->acknowledge(key_of(*spool, 1)));
    must(spool->set_aside(key_of(*spool, 2), "poison"));
    auto report = run_of({document("losses")});
    report.state = {{"cursor", "42"}};
    report.reported_losses = {must(spool->losses()).at(0)};
    must(spool->seal(std::move(report)));
    old_epoch = must(spool->status()).epoch;
  }
  options.collector_id = "99999999-2222-4333-8444-555555555555";
  auto spool = open(folder, options);
  const auto status = must(spool->status());
  CHECK(status.epoch != old_epoch);
  CHECK(status.last_seq == 2);
  CHECK(status.waiting_documents == 2);
  check_invariant(status);
  const spool::Batch batch = next_of(*spool);
  CHECK(batch.key.seq == 1);
  const auto envelope = envelope_of(batch);
  CHECK(envelope["collector_id"] == "99999999-2222-4333-8444-555555555555");
  CHECK(envelope["epoch"] == status.epoch.c_str());
  CHECK(envelope["seq"].GetUint64() == 1);
  CHECK(envelope["metrics"][0]["payload"] == "c");
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "42");
  // The loss report moved along: it is settled by the number it has now.
  CHECK(must(spool->losses()).empty());
  must(spool->set_aside(key_of(*spool, 2), "poison"));
  CHECK(must(spool->losses()).size() == 2);
}

TEST_CASE("a batch whose bytes rotted on disk is counted, never sent") {
  const Folder folder;
  const HandClock clock;
  {
    auto spool = open(folder, options_with(clock));
    must(spool->seal(run_of({document("a")})));
    must(spool->seal(run_of({document("b")})));
  }
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((folder.path() + "/spool.db").c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "UPDATE batch SET body = zeroblob(body_bytes) WHERE seq = 1", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
  sqlite3_close(database);
  auto spool = open(folder, options_with(clock));
  CHECK(next_of(*spool).key.seq == 2);
  CHECK(must(spool->losses()).at(0).reason == "corrupt");
  check_invariant(must(spool->status()));
}

TEST_CASE("a file that is no database is kept aside and collecting goes on") {
  const Folder folder;
  const HandClock clock;
  std::ofstream(folder.path() + "/spool.db") << std::string(8192, 'x');
  auto spool = open(folder, options_with(clock));
  CHECK(must(spool->seal(run_of({document("a")}))) == 1);
  bool kept = false;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    kept = kept || entry.path().filename().string().rfind("spool.db.damaged-", 0) == 0;
  }
  CHECK(kept);
}

TEST_CASE("a spool of a newer program is refused, not mangled") {
  const Folder folder;
  const HandClock clock;
  { auto spool = open(folder, options_with(clock)); }
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open((folder.path() + "/spool.db").c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, "PRAGMA user_version = 99; PRAGMA application_id = 1346855779", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
  sqlite3_close(database);
  const auto opened = Spool::open(folder.path(), options_with(clock));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().status == PGA_E_UNSUPPORTED);
  CHECK_FALSE(opened.error().hint.empty());
}

TEST_CASE("a view reads beside the running collector and changes nothing") {
  const Folder folder;
  const HandClock clock;
  CHECK(spool::SpoolView::open(folder.path()).error().status == PGA_E_NOTFOUND);
  auto spool = open(folder, options_with(clock));
  auto run = run_of({document("a")});
  run.state = {{"cursor", "7"}};
  must(spool->seal(std::move(run)));
  must(spool->set_value("config.etag", "\"3\""));
  auto view = must(spool::SpoolView::open(folder.path()));
  CHECK(must(view.state_of("pg_stats")).at("cursor") == "7");
  CHECK(must(view.status()).waiting_documents == 1);
  CHECK(must(view.value("config.etag")) == std::optional<std::string>("\"3\""));
  CHECK_FALSE(must(view.value("absent")).has_value());
  must(spool->remove_value("config.etag"));
  must(spool->remove_value("config.etag"));
  CHECK_FALSE(must(view.value("config.etag")).has_value());
  must(spool->set_aside(key_of(*spool, 1), "poison"));
  CHECK(must(view.losses()).size() == 1);
  CHECK(must(view.status()).lost_documents == 1);
}

TEST_CASE("a view says of a damaged row that it is, instead of showing it") {
  const Folder folder;
  const HandClock clock;
  {
    auto spool = open(folder, options_with(clock));
    auto run = run_of({document("a")});
    run.state = {{"cursor", "7"}};
    must(spool->seal(std::move(run)));
    must(spool->set_value("config.etag", "3"));
  }
  auto database = must(spool::Database::open(folder / "spool.db", SQLITE_OPEN_READWRITE));
  must(database.run("UPDATE state SET value = x'38'; UPDATE value SET value = x'34'"));
  auto view = must(spool::SpoolView::open(folder.path()));
  CHECK(view.state_of("pg_stats").error().code == "spool.corrupt");
  CHECK(view.value("config.etag").error().code == "spool.corrupt");
  CHECK(must(view.status()).waiting_documents == 1);
  must(database.run("DELETE FROM epoch; DELETE FROM epoch_copy"));
  CHECK(view.status().error().code == "spool.corrupt");
  must(database.run("DELETE FROM spool"));
  CHECK(must(view.status()).epoch.empty());  // as before the first run
}

TEST_CASE("the encoding may change between batches") {
  const Folder folder;
  const HandClock clock;
  auto spool = open(folder, options_with(clock));
  must(spool->seal(run_of({document("a")})));
  spool->set_encoding(compression::Encoding::kGzip);
  must(spool->seal(run_of({document("b")})));
  CHECK(next_of(*spool).encoding == compression::Encoding::kZstd);
  must(spool->acknowledge(key_of(*spool, 1)));
  const spool::Batch batch = next_of(*spool);
  CHECK(batch.encoding == compression::Encoding::kGzip);
  CHECK(envelope_of(batch)["metrics"][0]["payload"] == "b");
}
