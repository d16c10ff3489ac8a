// A damaged spool, opened. The sweep (sweep/) tries every place; here is what a user would see of each kind of damage.
#include "core/spool/aside.h"
#include "core/spool/pages.h"
#include "core/spool/rows.h"
#include "core/spool/waiting_keys.h"
#include "core/spool/wal.h"
#include "tests/core/spool/spool_fixture.h"
#include "tests/support/eventually.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;

namespace {

std::string read_file(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

void run_sql(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

// Ten batches; three are delivered.
void fill(const std::string& dir, const clock::Clock& clock) {
  auto spool = must(Spool::open(dir, options_with(clock)));
  for (int i = 0; i < 10; ++i) {
    auto run = run_of({document(std::to_string(i)), document(std::string(static_cast<std::size_t>(i) * 900, 'x'))});
    run.state = {{"cursor", std::to_string(i)}};
    must(spool->seal(std::move(run)));
  }
  for (int i = 0; i < 3; ++i) must(spool->acknowledge(must(spool->next(Lane::kBacklog))->key));
}

std::vector<std::uint64_t> drain(Spool& spool) {
  std::vector<std::uint64_t> seqs;
  while (auto batch = must(spool.next(Lane::kBacklog))) {
    seqs.push_back(batch->key.seq);
    must(spool.acknowledge(batch->key));
  }
  return seqs;
}

std::vector<std::string> damaged_files(const Folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("spool.db.damaged-", 0) == 0) names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("a spool cut to nothing is not taken for a new one: what waited is counted") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  const std::string epoch = must(must(Spool::open(folder.path(), options_with(clock)))->status()).epoch;
  write_file(folder / "spool.db", "");
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].reason == "corrupt");
  CHECK(losses[0].epoch == epoch);
  CHECK(losses[0].first_seq == 4);
  CHECK(losses[0].last_seq == 10);
  CHECK(losses[0].documents == 14);
  const auto status = must(spool->status());
  CHECK(status.produced_documents == 20);
  CHECK(status.acknowledged_documents == 6);
  CHECK(status.lost_documents == 14);
  CHECK(status.epoch != epoch);
  CHECK(must(spool->state_of("pg_stats")).empty());
}

TEST_CASE("a removed spool, a truncated one and garbage are counted alike") {
  const HandClock clock;
  for (const std::string damage : {"removed", "one page", "garbage"}) {
    INFO(damage);
    const Folder folder;
    fill(folder.path(), clock);
    const std::string path = folder / "spool.db", content = read_file(path);
    if (damage == "removed") std::filesystem::remove(path);
    if (damage == "one page") write_file(path, content.substr(0, 4096));
    if (damage == "garbage") write_file(path, std::string(content.size(), 'g'));
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    CHECK(must(spool->status()).lost_documents == 14);
    CHECK(drain(*spool).empty());
    CHECK(must(spool->seal(run_of({document("new")}))) == 1);
    check_invariant(must(spool->status()));
  }
}

TEST_CASE("a file that says it is a terabyte large opens at once, with all that is sound in it") {
  const HandClock clock;
  constexpr std::uintmax_t kTerabyte = std::uintmax_t{1} << 40;
  for (const std::string damage : {"behind it", "without its first page", "nothing but a hole", "a page count to match", "a log",
                                   "a log behind the log", "a log whose header is lost"}) {
    INFO(damage);
    const Folder folder;
    const std::string path = folder / "spool.db", log = folder / "spool.db-wal";
    fill(folder.path(), clock);
    const std::string content = read_file(path);
    bool sound = true;
    if (damage == "without its first page") {
      write_file(path, std::string(4096, '\0') + content.substr(4096));
    } else if (damage == "nothing but a hole") {
      write_file(path, "");
      sound = false;
    } else if (damage == "a page count to match") {
      const std::string count("\x0f\xff\xff\xff", 4);
      write_file(path, content.substr(0, 28) + count + content.substr(32));
    } else if (damage == "a log behind the log") {
      std::filesystem::copy(path, folder / "before");
      auto spool = must(Spool::open(folder.path(), options_with(clock)));
      must(spool->acknowledge(must(spool->next(Lane::kBacklog))->key));
      const std::string frames = read_file(log);
      spool.reset();
      std::filesystem::rename(folder / "before", path);
      write_file(log, frames);
    } else if (damage == "a log whose header is lost") {
      write_file(log, std::string(8192, '\0'));
    } else if (damage == "a log") {
      write_file(log, "");
    }
    std::filesystem::resize_file(damage.find("a log") == 0 ? log : path, kTerabyte);
    const auto begin = std::chrono::steady_clock::now();
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));  // to read a terabyte takes ten times as long
    const auto status = must(spool->status());
    check_invariant(status);
    const std::uint64_t delivered = damage == "a log behind the log" ? 8 : 6;
    CHECK(status.acknowledged_documents == delivered);
    CHECK(status.lost_documents == (sound ? 0 : 14));
    CHECK(drain(*spool).size() == (sound ? (20 - delivered) / 2 : 0));
    spool.reset();
    spool = must(Spool::open(folder.path(), options_with(clock)));
    check_invariant(must(spool->status()));
  }
}

TEST_CASE("rows that are sound outlive the tree that led to them, under their own keys") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  std::string content = read_file(folder / "spool.db");
  content.replace(0, 4096, std::string(4096, '\0'));  // the schema, and where each table begins
  write_file(folder / "spool.db", content);
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->status()).lost_documents == 0);
  CHECK(must(spool->state_of("pg_stats")).at("cursor") == "9");
  CHECK(drain(*spool) == std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9, 10});
  CHECK(damaged_files(folder).size() == 1);
}

TEST_CASE("damage in the middle of the log costs the page it hit, not all that was committed after it") {
  const Folder folder;
  const HandClock clock;
  const Folder copy;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  for (int i = 0; i < 8; ++i) must(spool->seal(run_of({document(std::to_string(i))})));
  for (const char* const name : {"spool.db", "spool.db-wal", "spool.tally"}) {
    std::filesystem::copy(folder / name, copy / name);
  }
  std::string log = read_file(copy / "spool.db-wal");
  const std::size_t frame = 24 + spool::kPageBytes;
  log[32 + 3 * frame + 2000] ^= 0x10;
  write_file(copy / "spool.db-wal", log);
  auto again = must(Spool::open(copy.path(), options_with(clock)));
  const auto status = must(again->status());
  CHECK(status.produced_documents == 8);
  check_invariant(status);
  const auto served = drain(*again);
  CHECK(served.size() + must(again->status()).lost_documents == 8);
  CHECK(served.size() >= 7);
}

TEST_CASE("what was delivered does not come back when the log that said so is gone") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  const std::string before = read_file(folder / "spool.db");
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    must(spool->acknowledge(must(spool->next(Lane::kBacklog))->key));
    must(spool->acknowledge(must(spool->next(Lane::kLive))->key));
  }
  write_file(folder / "spool.db", before);
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->status()).lost_documents == 0);
  CHECK(drain(*spool) == std::vector<std::uint64_t>{5, 6, 7, 8, 9});
  CHECK(must(spool->status()).acknowledged_documents == 20);
}

TEST_CASE("a changed number in a batch's row is found, and the batch counted instead of served") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  run_sql(folder / "spool.db", "UPDATE batch SET documents = documents + 1 WHERE seq = 6");
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  const auto losses = must(spool->losses());
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].first_seq <= 6);
  CHECK(losses[0].last_seq >= 6);
  CHECK(losses[0].documents == 2);
  CHECK(drain(*spool) == std::vector<std::uint64_t>{4, 5, 7, 8, 9, 10});
}

TEST_CASE("whichever row or format is not what was written, the start finds it, and the books balance again") {
  const HandClock clock;
  for (const char* const damage :
       {"DELETE FROM spool", "UPDATE spool SET clock_ns = clock_ns + 1", "DELETE FROM epoch", "DELETE FROM epoch_copy",
        "UPDATE epoch SET acknowledged = 0", "DELETE FROM epoch; DELETE FROM epoch_copy", "DELETE FROM batch WHERE seq = 5",
        "UPDATE batch SET body_bytes = body_bytes + 1 WHERE seq = 5", "UPDATE value SET value = x'31'",
        "CREATE TABLE more (x); DELETE FROM loss", "UPDATE loss SET documents = documents + 1", "UPDATE loss SET epoch = 'x'",
        "UPDATE loss SET carrier = 0", "DELETE FROM loss", "CREATE TABLE more (x)", "DROP INDEX batch_order",
        "PRAGMA user_version = 3", "PRAGMA user_version = 999", "PRAGMA user_version = 1"}) {
    INFO(damage);
    const Folder folder;
    fill(folder.path(), clock);
    {
      auto spool = must(Spool::open(folder.path(), options_with(clock)));
      must(spool->set_value("kept", "yes"));
      must(spool->set_aside(must(spool->next(Lane::kBacklog))->key, "poison"));
    }
    run_sql(folder / "spool.db", damage);
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    CHECK_FALSE(damaged_files(folder).empty());
    auto status = must(spool->status());
    check_invariant(status);
    CHECK(status.produced_documents == 20);
    CHECK(status.acknowledged_documents == 6);
    std::uint64_t told = 0;
    for (const auto& loss : must(spool->losses())) told += loss.documents;
    CHECK(told == status.lost_documents);
    CHECK(2 * drain(*spool).size() + told + 6 == 20);
    check_invariant(must(spool->status()));
  }
}

TEST_CASE("with the witness and the books gone, the batches that are sound are served under their keys") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  std::filesystem::remove(folder / "spool.tally");
  run_sql(folder / "spool.db", "DELETE FROM epoch; DELETE FROM epoch_copy");
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  const auto status = must(spool->status());
  CHECK(status.waiting_documents == 14);
  CHECK(status.lost_documents == 0);
  check_invariant(status);
  CHECK(must(spool->state_of("pg_stats")).empty());  // nobody vouches for it
  CHECK(drain(*spool) == std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9, 10});
}

TEST_CASE("of more plugins than the witness has room for, no state is vouched for: a damaged file has them begin as new") {
  const Folder folder;
  const HandClock clock;
  constexpr int kPlugins = 70;
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    for (int i = 0; i < kPlugins; ++i) {
      auto run = run_of({document(std::to_string(i))});
      run.plugin = "plugin " + std::to_string(i);
      run.state = {{"cursor", std::to_string(i)}};
      must(spool->seal(std::move(run)));
    }
  }
  CHECK(must(must(Spool::open(folder.path(), options_with(clock)))->state_of("plugin 3")).at("cursor") == "3");
  const bool all = GENERATE(false, true);
  if (all) {
    write_file(folder / "spool.db", "");
  } else {
    run_sql(folder / "spool.db", "UPDATE batch SET documents = documents + 1 WHERE seq = 6");
  }
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->state_of("plugin 3")).empty());
  CHECK(must(spool->status()).lost_documents == (all ? kPlugins : 1));  // the other figures are said all the same
  CHECK(drain(*spool).size() == (all ? 0 : kPlugins - 1));
}

TEST_CASE("a witness without room for all figures stays behind, and a sound spool is served all the same") {
  const Folder folder;
  const HandClock clock;
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    for (int i = 0; i < 40; ++i) {
      auto run = run_of({document(std::to_string(i))});
      run.plugin = std::to_string(i) + std::string(1000, 'p');
      run.state = {{"cursor", "1"}};
      must(spool->seal(std::move(run)));
    }
  }
  CHECK(std::filesystem::file_size(folder / "spool.tally") <= 2 * 32768);  // neither half into the other one
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(damaged_files(folder).empty());
  CHECK(must(spool->state_of("39" + std::string(1000, 'p'))).at("cursor") == "1");
  CHECK(must(spool->status()).lost_documents == 0);
  CHECK(drain(*spool).size() == 40);
  check_invariant(must(spool->status()));
}

TEST_CASE("a damaged file that cannot be moved out of the way is left as it is, and collecting goes on in memory") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  const std::string aside = folder / ("spool.db.damaged-" + std::to_string(clock.now / 1'000'000'000));
  const std::string garbage(8192, 'x');
  write_file(folder / "spool.db", garbage);
  std::filesystem::create_directories(aside + "/inside");
  auto options = options_with(clock);
  options.pace.retry_ms = 30;
  auto spool = must(Spool::open(folder.path(), options));
  CHECK(must(spool->status()).mode == "memory");
  CHECK(must(spool->status()).mode_reason.find(aside) != std::string::npos);
  CHECK(read_file(folder / "spool.db") == garbage);
  must(spool->seal(run_of({document("meanwhile")})));
  std::filesystem::remove_all(aside);
  REQUIRE(testing::eventually([&] { return must(spool->status()).mode == "disk"; }));
  CHECK(must(spool->status()).lost_documents == 14);
  CHECK(drain(*spool).size() == 1);
  check_invariant(must(spool->status()));
}

TEST_CASE("a mark of a batch that was handed out, lost or put on another one, drops none and doubles none") {
  const HandClock clock;
  for (const char* const damage :
       {"UPDATE tried SET batch = batch - 1", "UPDATE tried SET batch = batch + 1099511627776", "UPDATE tried SET batch = -batch",
        "DELETE FROM tried", "INSERT INTO tried VALUES (6), (11), (12)"}) {
    INFO(damage);
    const Folder folder;
    fill(folder.path(), clock);
    {
      auto spool = must(Spool::open(folder.path(), options_with(clock)));
      CHECK(must(spool->next(Lane::kBacklog))->key.seq == 4);
      CHECK(must(spool->next(Lane::kLive))->key.seq == 10);
    }
    run_sql(folder / "spool.db", damage);
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    for (int i = 0; i < 3; ++i) must(spool->seal(run_of({document("new")})));  // may get the ids of marks on none
    auto served = drain(*spool);
    std::sort(served.begin(), served.end());
    CHECK(served == std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9, 10, 11, 12, 13});
    const auto status = must(spool->status());
    CHECK(status.lost_documents == 0);
    check_invariant(status);
  }
}

TEST_CASE("what the server may have is spared by the caps, also when the marks that say so are damaged") {
  for (const char* const damage : {"UPDATE tried SET batch = batch + 1099511627776", "UPDATE tried SET batch = -batch",
                                   "DELETE FROM tried", "DELETE FROM tried; UPDATE batch SET plugin = 'x' WHERE seq = 6"}) {
    INFO(damage);
    const Folder folder;
    HandClock clock;
    fill(folder.path(), clock);
    {
      auto spool = must(Spool::open(folder.path(), options_with(clock)));
      CHECK(must(spool->next(Lane::kBacklog))->key.seq == 4);
      CHECK(must(spool->next(Lane::kLive))->key.seq == 10);
    }
    run_sql(folder / "spool.db", damage);
    clock.now += options_with(clock).max_age_ms * 2'000'000;
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    must(spool->seal(run_of({document("new")})));
    const auto served = drain(*spool);
    CHECK(served.size() == 3);
    CHECK(std::count(served.begin(), served.end(), 4) == 1);
    CHECK(std::count(served.begin(), served.end(), 10) == 1);
    const auto status = must(spool->status());
    CHECK(status.lost_documents == 10);  // seq 5 to 9: nobody has had them
    check_invariant(status);
  }
}

TEST_CASE("a cursor that is not what the plugin wrote is dropped, the others stay") {
  const Folder folder;
  const HandClock clock;
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    for (const char* const plugin : {"logs", "disk"}) {
      spool::SealedRun run;
      run.plugin = plugin;
      run.state = {{"cursor", std::string("100")}, {"file", std::string("a")}};
      must(spool->seal(std::move(run)));
    }
  }
  run_sql(folder / "spool.db", "UPDATE state SET value = x'31' WHERE plugin = 'logs' AND key = 'cursor'");
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->state_of("logs")).empty());
  CHECK(must(spool->state_of("disk")).at("cursor") == "100");
}

TEST_CASE("a witness that is damaged or behind says nothing wrong of a sound spool") {
  const HandClock clock;
  for (const std::string damage : {"gone", "garbage", "behind"}) {
    INFO(damage);
    const Folder folder;
    fill(folder.path(), clock);
    const std::string tally = read_file(folder / "spool.tally");
    if (damage == "gone") std::filesystem::remove(folder / "spool.tally");
    if (damage == "garbage") write_file(folder / "spool.tally", std::string(tally.size(), 'g'));
    if (damage == "behind") {
      auto spool = must(Spool::open(folder.path(), options_with(clock)));
      must(spool->seal(run_of({document("one more"), document("and another")})));
      must(spool->acknowledge(must(spool->next(Lane::kLive))->key));
      spool.reset();
      write_file(folder / "spool.tally", tally);
    }
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    CHECK(drain(*spool).size() == 7);
    CHECK(must(spool->status()).lost_documents == 0);
    CHECK(damaged_files(folder).empty());
  }
}

TEST_CASE("a salvage that was interrupted is finished by the next start") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  // As a crash leaves it between the new file's name and its place: whole beside the damaged one, or alone.
  std::filesystem::copy(folder / "spool.db", folder / "spool.db.salvaged");
  write_file(folder / "spool.db", std::string(8192, 'x'));
  write_file(folder / "spool.db.building", "half");
  {
    auto spool = must(Spool::open(folder.path(), options_with(clock)));
    CHECK(must(spool->status()).waiting_batches == 7);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "spool.db.building"));
  CHECK_FALSE(std::filesystem::exists(folder / "spool.db.salvaged"));
  std::filesystem::rename(folder / "spool.db", folder / "spool.db.salvaged");
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  CHECK(must(spool->status()).waiting_batches == 7);
}

TEST_CASE("damaged files are kept within bounds: eight megabytes, seven days, eight files") {
  const Folder folder;
  const std::int64_t now_s = 1'770'000'000;
  for (int i = 0; i < 12; ++i) {
    write_file(folder / ("spool.db.damaged-" + std::to_string(now_s - i * 24 * 3600)),
               std::string(i == 1 ? 9 << 20 : 1 << 10, 'd'));
  }
  write_file(folder / "spool.db.other", "stays");
  spool::prune_aside(folder.path(), now_s * 1'000'000'000);
  std::uintmax_t bytes = 0;
  const auto names = damaged_files(folder);
  for (const auto& name : names) bytes += std::filesystem::file_size(folder / name);
  CHECK(names.size() == 2);
  CHECK(bytes == std::uintmax_t{spool::kAsideBytesMax});
  CHECK(std::filesystem::exists(folder / "spool.db.other"));
  spool::prune_aside(folder.path(), (now_s + 9 * 24 * 3600) * 1'000'000'000);
  CHECK(damaged_files(folder).empty());
}

TEST_CASE("a spool without its folder's permission, or whose name is a folder, is an error with a reason") {
  const Folder folder;
  const HandClock clock;
  std::filesystem::create_directory(folder / "spool.tally");
  auto options = options_with(clock);
  options.disk_only = true;
  const auto opened = Spool::open(folder.path(), options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("spool.tally") != std::string::npos);
}

TEST_CASE("rows are read from pages that lie: lengths beyond the page, chains that turn round, cells that are not there") {
  const Folder folder;
  const HandClock clock;
  fill(folder.path(), clock);
  const std::string content = read_file(folder / "spool.db");
  for (std::size_t page = 0; page * spool::kPageBytes < content.size(); ++page) {
    for (const char fill : {'\0', '\x0D', '\x7F', '\xFF'}) {
      std::string damaged = content;
      // All but the type: the pointers and lengths of the page are nonsense.
      damaged.replace(page * spool::kPageBytes + 1, spool::kPageBytes - 1, spool::kPageBytes - 1, fill);
      write_file(folder / "pages", damaged);
      const spool::FileBytes file(folder / "pages"), no_log(folder / "absent");
      std::size_t rows = 0;
      spool::for_each_row(spool::Pages(file, no_log, spool::Wal(), 0), [&](spool::Row& row) {
        std::string last;
        rows += row.read_last(last) ? 1 : 0;
      });
      CHECK(rows < 100'000);
    }
  }
}

TEST_CASE("which batches wait is known as runs, whatever order they end in") {
  const Folder folder;
  const HandClock clock;
  auto spool = must(Spool::open(folder.path(), options_with(clock)));
  for (int i = 0; i < 9; ++i) must(spool->seal(run_of({document("a"), document("b")})));
  auto database = must(spool::Database::open(folder / "spool.db", SQLITE_OPEN_READWRITE));
  auto keys = must(spool::WaitingKeys::follow(database));
  REQUIRE(keys.epochs().size() == 1);
  CHECK(keys.epochs().begin()->second.runs == spool::WaitingKeys::Runs{{1, 9}});
  for (const char* const end : {"seq = 5", "seq = 1", "seq = 9", "seq = 4"}) {
    must(database.run((std::string("DELETE FROM batch WHERE ") + end).c_str()));
  }
  must(keys.catch_up(database));
  const auto& epoch = keys.epochs().begin()->second;
  CHECK(epoch.runs == spool::WaitingKeys::Runs{{2, 3}, {6, 8}});
  CHECK(epoch.first() == 2);
  CHECK(epoch.has(3, ""));
  CHECK_FALSE(epoch.has(4, ""));
  CHECK_FALSE(epoch.has(3, "0"));
  must(database.run("UPDATE batch SET part = '0/1' WHERE seq = 2"));
  must(keys.catch_up(database));
  CHECK(epoch.has(2, "0/1"));
  CHECK_FALSE(epoch.has(2, ""));
  CHECK(epoch.first() == 2);
  must(database.run("BEGIN; DELETE FROM batch WHERE seq = 7; ROLLBACK"));
  must(keys.catch_up(database));
  CHECK(epoch.runs == spool::WaitingKeys::Runs{{3, 3}, {6, 8}});
}
