// One whole life of a spool, with every operation of SQLite on the disk failing in its turn: whatever fails, and whenever, no
// document is lost without being counted, none comes twice, and the books balance when the file is opened again.
#include "core/schema/json_text.h"
#include "core/spool/backup.h"
#include "tests/core/spool/faulty_vfs.h"
#include "tests/core/spool/spool_fixture.h"

#include <sqlite3.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;

namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// What an observer outside knows: what was given to the spool, and what it handed out.
class Life {
 public:
  explicit Life(const std::string& dir) : dir_(dir), options_(options_with(clock_)) {
    options_.encoding = compression::Encoding::kIdentity;
    options_.pace.pause_ms = 0;
    options_.pace.retry_ms = 1;
  }

  spool::SpoolOptions& options() { return options_; }

  void live() {
    open();
    for (int i = 0; i < 6; ++i) seal(2 + i % 3);
    set("config", "1");
    end(Lane::kLive, &Spool::acknowledge);
    split(Lane::kBacklog);
    end(Lane::kBacklog, &Spool::acknowledge);
    end(Lane::kLive, &Spool::rekey);
    poison(Lane::kLive);
    pass_over(Lane::kBacklog);
    set("config", "2");
    report();
    end(Lane::kLive, &Spool::acknowledge);
    drop();
    report();
    backup();
    close();
    open();
    seal(1);
    end(Lane::kBacklog, &Spool::acknowledge);
    close();
    options_.collector_id = "99999999-2222-4333-8444-555555555555";  // all is sealed again
    open();
    seal(2);
    end(Lane::kBacklog, &Spool::acknowledge);
    report();
    close();
  }

  // The disk is well again: opened, told, emptied.
  void judge() {
    open();
    const auto status = spool_->status();
    require(status && status->mode == "disk", "the spool is on the disk");
    check_balance();
    const std::uint64_t before = untold();
    const std::uint64_t lost = status->lost_documents;
    while (take(Lane::kBacklog)) finish(&Spool::acknowledge, *out_);
    check_balance();
    const std::uint64_t after = untold();
    require(after <= before, "no loss comes of delivering");
    require(made_ == stored_.size() + lost, "made " + std::to_string(made_) + " = stored " + std::to_string(stored_.size()) +
                                                " + counted as lost " + std::to_string(lost));
    require(told_ + after == lost,
            "told " + std::to_string(told_) + " + ledger " + std::to_string(after) + " = lost " + std::to_string(lost));
    require(spool_->value("config").value() == std::optional<std::string>("2"), "the value is the last one");
    require(spool_->state_of("pg_stats").value()["made"] == state_, "the state is that of the last run");
    spool_.reset();
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void require(bool holds, const std::string& what) {
    if (!holds && trouble_.empty()) trouble_ = what;
  }

  // What stands in the ledger, and in no run yet.
  std::uint64_t untold() {
    const auto losses = spool_->losses();
    std::uint64_t documents = 0;
    for (const auto& loss : *losses) documents += loss.documents;
    return documents;
  }

  // Until it is done; whoever delivers tries again.
  template <class Work>
  void persist(const std::string& what, Work&& work) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!work()) {
      if (std::chrono::steady_clock::now() > deadline) return require(false, what + " never succeeds");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void check_balance() {
    const auto status = spool_->status();
    require(status &&
                status->produced_documents == status->acknowledged_documents + status->lost_documents + status->waiting_documents,
            "the books balance");
  }

  void open() {
    auto opened = Spool::open(dir_, options_);
    if (!opened) return require(false, "open: " + opened.error().message);
    spool_ = std::move(opened).value();
    check_balance();
  }

  // Memory that the disk does not take is what a stop costs; that is not what is asked here.
  void close() {
    persist("going back to the disk", [&] { return spool_->status()->mode == "disk"; });
    check_balance();
    spool_.reset();
  }

  void seal(int documents) {
    std::vector<std::string> all;
    for (int i = 0; i < documents; ++i) all.push_back(document(std::to_string(++made_)));
    auto run = run_of(std::move(all));
    run.state["made"] = state_ = std::to_string(made_);
    require(static_cast<bool>(spool_->seal(std::move(run))), "seal");
    check_balance();
  }

  // A run that tells of all losses; what it told counts when it is delivered.
  void report() {
    auto run = run_of({});
    run.reported_losses = must(spool_->losses());
    std::uint64_t documents = 0;
    for (const auto& loss : run.reported_losses) documents += loss.documents;
    run.plugin = "collector";
    run.documents = {document("told " + std::to_string(documents) + " " + std::to_string(++made_))};
    require(static_cast<bool>(spool_->seal(std::move(run))), "seal a report");
    check_balance();
  }

  bool take(Lane lane) {
    out_.reset();
    persist("next()", [&] {
      auto next = spool_->next(lane);
      if (!next) return false;
      if (*next) out_ = std::move(**next);
      return true;
    });
    if (!out_) return false;
    const auto [known, fresh] = bodies_.emplace(out_->key, out_->body);
    require(fresh || known->second == out_->body, "a key belongs to its bytes: " + out_->key.text());
    return true;
  }

  // Gone already: an attempt that seemed to fail had done it.
  void finish(Outcome (Spool::*how)(const spool::BatchKey&), const spool::Batch& batch) {
    persist("the end of a batch", [&] {
      const Outcome done = (spool_.get()->*how)(batch.key);
      return done || done.error().status == PGA_E_NOTFOUND;
    });
    if (how == &Spool::acknowledge) store(batch);
    check_balance();
  }

  void store(const spool::Batch& batch) {
    const auto envelope = schema::parse_json(batch.body);
    if (!envelope) return require(false, "an envelope is JSON");
    for (const auto& metric : (*envelope)["metrics"].GetArray()) {
      const std::string payload = metric["payload"].GetString();
      const auto [known, fresh] = stored_.emplace(payload, batch.key);
      require(fresh, "document " + payload + " comes once: as " + known->second.text() + " and as " + batch.key.text());
      if (payload.rfind("told ", 0) == 0) told_ += std::strtoull(payload.c_str() + 5, nullptr, 10);
    }
  }

  void end(Lane lane, Outcome (Spool::*how)(const spool::BatchKey&)) {
    if (take(lane)) finish(how, *out_);
  }

  void split(Lane lane) {
    if (!take(lane)) return;
    persist("split", [&] {
      const auto done = spool_->split(out_->key);
      return done || done.error().status == PGA_E_NOTFOUND;
    });
    check_balance();
  }

  void poison(Lane lane) {
    if (!take(lane)) return;
    persist("set_aside", [&] {
      const auto done = spool_->set_aside(out_->key, "poison");
      return done || done.error().status == PGA_E_NOTFOUND;
    });
    check_balance();
  }

  void pass_over(Lane lane) {
    if (!take(lane)) return;
    const spool::BatchKey held = out_->key;
    finish(&Spool::hold, *out_);
    take(lane);
    spool_->release(held);
  }

  void set(const std::string& key, const std::string& value) {
    require(static_cast<bool>(spool_->set_value("gone", value)), "set_value");
    require(static_cast<bool>(spool_->set_value(key, value)), "set_value");
    require(static_cast<bool>(spool_->remove_value("gone")), "remove_value");
  }

  // By size, then by age.
  void drop() {
    spool::SpoolCaps caps = options_;
    caps.max_bytes = 900;
    spool_->set_caps(caps);
    seal(3);
    seal(3);
    caps.max_bytes = options_.max_bytes;
    caps.max_age_ms = 1000;
    spool_->set_caps(caps);
    clock_.now += 5'000'000'000;
    seal(1);
    spool_->set_caps(options_);
  }

  void backup() {
    const std::atomic<bool> stop{false};
    persist("a copy", [&] { return static_cast<bool>(spool::back_up(dir_, dir_ + "/copy", stop)); });
  }

  std::string dir_, trouble_, state_;
  HandClock clock_;
  spool::SpoolOptions options_;
  std::unique_ptr<Spool> spool_;
  std::optional<spool::Batch> out_;
  std::map<spool::BatchKey, std::string> bodies_;
  std::map<std::string, spool::BatchKey> stored_;
  std::uint64_t made_ = 0, told_ = 0;
};

struct Illness {
  const char* name;
  int code, operations, failures;  // how many operations in a row fail; after how many failures the spool goes to memory
};

// How many operations a whole life takes.
int operations_of_a_life(const FaultyVfs& vfs) {
  const Folder folder;
  Life life(folder.path());
  vfs.disk().operations = 0;
  life.live();
  const int operations = vfs.disk().operations;
  life.judge();
  INFO(life.trouble());
  REQUIRE(life.trouble().empty());
  return operations;
}

}  // namespace

TEST_CASE("whichever operation of the disk fails, nothing is lost uncounted and nothing comes twice") {
  const FaultyVfs vfs;
  vfs.disk().skip_syncs = true;
  const int operations = operations_of_a_life(vfs);
  REQUIRE(operations > 100);
  // Each operation in one illness; with SPOOL_SWEEP_STEP=1 in each of them.
  const char* const wanted = std::getenv("SPOOL_SWEEP_STEP");
  const Illness illnesses[] = {{"EIO", SQLITE_IOERR, 1, 3},           {"EIO for long", SQLITE_IOERR, 25, 2},
                               {"full", SQLITE_FULL, 1, 3},           {"full for long", SQLITE_FULL, 40, 3},
                               {"read-only", SQLITE_READONLY, 30, 1}, {"corrupt", SQLITE_CORRUPT, 1, 3}};
  const int kinds = static_cast<int>(std::size(illnesses));
  const int step = wanted != nullptr ? std::atoi(wanted) : kinds;
  int lives = 0;
  for (int kind = 0; kind < kinds; ++kind) {
    const Illness& illness = illnesses[kind];
    for (int n = 1 + kind % step; n <= operations; n += step) {
      const Folder folder;
      Life life(folder.path());
      life.options().pace.failures = illness.failures;
      vfs.disk().illness = illness.code;
      vfs.disk().operations = 0;
      vfs.disk().fail_until = n + illness.operations;
      vfs.disk().fail_from = n;
      life.live();
      vfs.disk().fail_from = vfs.disk().fail_until = 0;
      life.judge();
      ++lives;
      INFO(illness.name << " at operation " << n << " of " << operations << ": " << life.trouble());
      CHECK(life.trouble().empty());
    }
  }
  CHECK(lives >= operations);
}
