// The rows of the epochs: there may be many, and not without end.
#include "core/spool/ledger.h"

#include "tests/core/spool/spool_fixture.h"

#include <sqlite3.h>

using namespace pganalytics;
using namespace pganalytics::spool_test;

namespace {

constexpr int kOld = 1500;

std::int64_t number_of(const std::string& path, const char* sql) {
  auto database = must(spool::Database::open(path, SQLITE_OPEN_READONLY));
  auto row = must(database.prepare(sql));
  REQUIRE(must(row.step()));
  return row.integer(0);
}

std::string epoch_of(int number) {
  std::string digits = std::to_string(number);
  return "e" + std::string(31 - digits.size(), '0') + digits;
}

// As if the disk had failed very often: each episode in memory leaves a row. The 7th has a loss that nobody told yet.
void add_old_epochs(const std::string& path) {
  auto database = must(spool::Database::open(path, SQLITE_OPEN_READWRITE));
  auto ledger = must(spool::Ledger::open(database));
  must(database.run("BEGIN"));
  spool::Tally tally;
  for (int i = 1; i <= kOld; ++i) {
    ledger.put_epoch(tally, {epoch_of(i), "11111111-2222-4333-8444-555555555555", 2, 5, 3, 2});
  }
  must(ledger.save(tally));
  must(ledger.add({0, "poison", epoch_of(7), 1, 1, 2, 0, 0}));
  must(database.run("COMMIT"));
}

}  // namespace

TEST_CASE("epochs that are settled become one row, the newest thousand do not, and no figure changes") {
  const Folder folder;
  const HandClock clock;
  const auto options = options_with(clock);
  {
    auto spool = must(spool::Spool::open(folder.path(), options));
    must(spool->seal(run_of({document("waits")})));
  }
  const std::string path = folder / "spool.db";
  add_old_epochs(path);
  const auto before = must(must(spool::SpoolView::open(folder.path())).status());
  REQUIRE(before.produced_documents == 5 * kOld + 1);
  for (int round = 0; round < 2; ++round) {
    auto spool = must(spool::Spool::open(folder.path(), options));
    const auto after = must(spool->status());
    CHECK(after.epoch == before.epoch);
    CHECK(after.produced_documents == before.produced_documents);
    CHECK(after.acknowledged_documents == before.acknowledged_documents);
    CHECK(after.lost_documents == before.lost_documents);
    CHECK(after.waiting_documents == 1);
    check_invariant(after);
    CHECK(must(spool->losses()).size() == 1);
    // The newest, the one that grows and the one with a loss, which are older, and the sum.
    CHECK(number_of(path, "SELECT count(*) FROM epoch") == spool::kEpochsKept + 3);
    CHECK(number_of(path, "SELECT count(*) FROM epoch_copy") == spool::kEpochsKept + 3);
    CHECK(number_of(path, "SELECT rowid FROM epoch WHERE last_seq = 0") < number_of(path, "SELECT max(rowid) FROM epoch"));
    must(spool->seal(run_of({})));
  }
  // A second time: what became settled since joins the sum.
  {
    auto spool = must(spool::Spool::open(folder.path(), options));
    auto report = run_of({document("told")});
    report.reported_losses = must(spool->losses());
    must(spool->seal(std::move(report)));
    while (const auto batch = must(spool->next(spool::Lane::kBacklog))) must(spool->acknowledge(batch->key));
  }
  auto spool = must(spool::Spool::open(folder.path(), options));
  CHECK(number_of(path, "SELECT count(*) FROM epoch") == spool::kEpochsKept + 2);
  CHECK(must(spool->status()).produced_documents == 5 * kOld + 2);
  CHECK(must(spool->status()).lost_documents == 2 * kOld);
  check_invariant(must(spool->status()));
}

TEST_CASE("of very many losses a thousand are told at once, the oldest first") {
  const Folder folder;
  const HandClock clock;
  { auto spool = must(spool::Spool::open(folder.path(), options_with(clock))); }
  auto database = must(spool::Database::open(folder / "spool.db", SQLITE_OPEN_READWRITE));
  auto ledger = must(spool::Ledger::open(database));
  must(database.run("BEGIN"));
  for (int i = 1; i <= 1200; ++i) must(ledger.add({0, "poison", epoch_of(i), 1, 1, 1, 0, 0}));
  must(database.run("COMMIT"));
  const auto told = must(ledger.unreported());
  REQUIRE(told.size() == 1000);
  CHECK(told.front().epoch == epoch_of(1));
  CHECK(told.back().epoch == epoch_of(1000));
}
