// Random operations on a real spool beside a small model of what an observer outside may expect: two lanes, holding, halving, new
// keys, caps, disks that fail and come back, restarts, crashes, another collector id. After each step the books balance; at the
// end every document was delivered once or is counted as lost.
#include "core/schema/json_text.h"
#include "core/spool/spool.h"
#include "tests/core/spool/faulty_vfs.h"
#include "tests/core/spool/spool_fixture.h"
#include "tests/support/eventually.h"

#include <sqlite3.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

using namespace pganalytics;
using namespace pganalytics::spool_test;
using spool::Lane;
using spool::Spool;

namespace {

constexpr std::size_t kPayloadBytes = 120;

class Game {
 public:
  explicit Game(unsigned seed) : random_(seed), options_(options_with(clock_)) {
    options_.encoding = compression::Encoding::kIdentity;
    options_.max_bytes = 8000;
    options_.max_age_ms = 120'000;
    options_.pace.pause_ms = 0;
    options_.pace.retry_ms = 1;
    open();
  }

  void play(int steps) {
    for (int step = 0; step < steps && trouble_.empty(); ++step) {
      clock_.now += static_cast<std::int64_t>(random_() % 4) * 1'000'000'000;
      switch (random_() % 16) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4: seal(); break;
        case 5:
        case 6: deliver(Lane::kLive); break;
        case 7:
        case 8: deliver(Lane::kBacklog); break;
        case 9: set_aside(); break;
        case 10: hold_or_release(); break;
        case 11: split(); break;
        case 12: rekey(); break;
        case 13: fall_ill_or_recover(); break;
        case 14: report(); break;
        default: restart();
      }
      check();
    }
    finish();
  }

  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void require(bool holds, const std::string& what) {
    if (!holds && trouble_.empty()) trouble_ = what;
  }
  FaultyDisk& disk() { return FaultyVfs::disk(); }
  [[nodiscard]] std::string dir() const { return folder_ / "state"; }
  static Lane any(std::uint_fast32_t number) { return number % 2 == 0 ? Lane::kLive : Lane::kBacklog; }

  void open() {
    auto opened = Spool::open(dir(), options_);
    require(static_cast<bool>(opened), "open");
    if (opened) spool_ = std::move(opened).value();
  }

  void check() {
    const auto status = must(spool_->status());
    require(status.produced_documents == status.acknowledged_documents + status.lost_documents + status.waiting_documents,
            "the books balance");
    require(must(spool_->state_of("pg_stats"))["made"] == state_, "the state is the last run's");
  }

  void seal() {
    std::vector<std::string> documents;
    for (auto n = random_() % 4; n > 0; --n) documents.push_back(made());
    auto run = run_of(std::move(documents));
    run.state["made"] = state_ = std::to_string(made_);
    require(static_cast<bool>(spool_->seal(std::move(run))), "seal");
  }

  std::string made() { return document(std::to_string(++made_) + std::string(kPayloadBytes, ' ')); }

  void report() {
    auto run = run_of({});
    run.plugin = "collector";
    run.reported_losses = must(spool_->losses());
    std::uint64_t documents = 0;
    for (const auto& loss : run.reported_losses) documents += loss.documents;
    run.documents = {document("told " + std::to_string(documents) + " " + std::to_string(++made_))};
    require(static_cast<bool>(spool_->seal(std::move(run))), "seal a report");
  }

  // What a lane has, checked: a batch stays the same until it has ended, no other lane has it, no held one comes.
  std::optional<spool::Batch> take(Lane lane) {
    auto next = spool_->next(lane);
    if (!next || !*next) {
      require(next || next.error().status == PGA_E_TRANSIENT, "next() fails for a while only");
      if (ill_) out_[lane == Lane::kLive ? 0 : 1].reset();  // what lies where nothing can be read is nobody's for a while
      return std::nullopt;
    }
    const auto [known, fresh] = bodies_.emplace((*next)->key, (*next)->body);
    require(fresh || known->second == (*next)->body, "a key belongs to its bytes");
    require(held_.count((*next)->key) == 0, "a held batch is passed over");
    auto& out = out_[lane == Lane::kLive ? 0 : 1];
    const auto& other = out_[lane == Lane::kLive ? 1 : 0];
    require(!other || *other != (*next)->key, "no two lanes have the same batch");
    require(ill_ || !out || *out == (*next)->key, "a lane's batch stays until it has ended");
    out = (*next)->key;
    if (stored_keys_.count((*next)->key) == 0) return std::move(*next);
    ended(**next, spool_->acknowledge((*next)->key), "acknowledge");
    return std::nullopt;
  }

  // Transient: not now. Anything else but success is wrong, for it was handed out, and nothing takes such a batch away.
  bool ended(const spool::Batch& batch, const Outcome& outcome, const char* what) {
    const bool done_before = !outcome && outcome.error().status == PGA_E_NOTFOUND && unsure_.count(batch.key) != 0;
    if (!outcome && !done_before) {
      unsure_.insert(batch.key);
      require(outcome.error().status == PGA_E_TRANSIENT, std::string(what) + ": " + outcome.error().message);
      return false;
    }
    for (auto& out : out_) {
      if (out == batch.key) out.reset();
    }
    held_.erase(batch.key);
    return true;
  }

  void store(const spool::Batch& batch) {
    const auto envelope = must(schema::parse_json(batch.body));
    require(envelope["metrics"].Size() == batch.documents, "a batch has as many documents as it says");
    for (const auto& metric : envelope["metrics"].GetArray()) {
      const std::string payload = metric["payload"].GetString();
      require(stored_.insert(payload).second, "document " + payload + " comes once");
      if (payload.rfind("told ", 0) == 0) told_ += std::strtoull(payload.c_str() + 5, nullptr, 10);
    }
  }

  void deliver(Lane lane) {
    const auto batch = take(lane);
    if (batch) acknowledge(*batch);
  }
  // The server has it, whatever the spool makes of that; should the batch come again, the server knows its key.
  void acknowledge(const spool::Batch& batch) {
    if (stored_keys_.insert(batch.key).second) store(batch);
    ended(batch, spool_->acknowledge(batch.key), "acknowledge");
  }
  void set_aside() {
    const auto batch = take(any(random_()));
    if (batch) ended(*batch, spool_->set_aside(batch->key, "poison"), "set_aside");
  }
  void rekey() {
    const auto batch = take(any(random_()));
    if (batch) ended(*batch, spool_->rekey(batch->key), "rekey");
  }
  void split() {
    const auto batch = take(any(random_()));
    if (!batch) return;
    const auto done = spool_->split(batch->key);
    if (done) require(*done == (batch->documents > 1), "two documents and more can be split");
    if (!done || *done) ended(*batch, done ? Outcome() : Outcome(done.error()), "split");
  }
  void hold_or_release() {
    if (!held_.empty() && random_() % 2 == 0) {
      spool_->release(*held_.begin());
      held_.erase(held_.begin());
      return;
    }
    const auto batch = take(any(random_()));
    if (batch && ended(*batch, spool_->hold(batch->key), "hold")) held_.insert(batch->key);
  }

  void fall_ill_or_recover() {
    const int codes[] = {SQLITE_IOERR, SQLITE_FULL, SQLITE_READONLY};
    ill_ = true;  // a batch in a file that cannot be read makes way for those that can
    disk().illness = codes[random_() % 3];
    disk().fail_from = disk().operations + 1 + static_cast<int>(random_() % 30);
    disk().fail_until = disk().fail_from + 1 + static_cast<int>(random_() % 60);
  }

  void recover() {
    disk().fail_from = disk().fail_until = 0;
    require(testing::eventually([&] { return must(spool_->status()).mode == "disk"; }), "the spool comes back to the disk");
    ill_ = false;
    out_ = {};
  }

  // Ends, or dies; the one that comes may have another id. A disk that is away costs what is in memory: spool.h says so.
  void restart() {
    recover();
    check();
    // What the server has under the name of before must have ended: under the new name it cannot know it again.
    for (const auto& key : stored_keys_) {
      const Outcome done = spool_->acknowledge(key);
      require(done || done.error().status == PGA_E_NOTFOUND, "acknowledge");
    }
    if (random_() % 3 == 0) options_.collector_id[0] = static_cast<char>('1' + random_() % 8);
    if (random_() % 2 == 0) {
      spool_.reset();
    } else {
      crash();
    }
    out_ = {};
    held_.clear();
    open();
  }

  // As if killed: the folder as it is now, with another inode, so that it is a copy as well; nobody closes the files in it.
  void crash() {
    const std::string now = folder_ / "now";
    std::filesystem::create_directory(now);
    for (const auto& file : std::filesystem::directory_iterator(dir())) {
      if (file.path().filename() != "spool.db-shm")
        std::filesystem::copy(file.path(), now + "/" + file.path().filename().string());
    }
    spool_.reset();
    std::filesystem::remove_all(dir());
    std::filesystem::rename(now, dir());
  }

  void finish() {
    if (!trouble_.empty()) return;
    recover();
    spool_.reset();
    out_ = {};
    held_.clear();
    open();
    check();
    const std::uint64_t lost = must(spool_->status()).lost_documents;
    for (int left = 1000; left > 0 && trouble_.empty(); --left) {
      if (must(spool_->status()).waiting_batches == 0) break;
      const auto batch = take(Lane::kBacklog);
      if (!batch) continue;
      acknowledge(*batch);
    }
    check();
    std::uint64_t untold = 0;
    const auto losses = must(spool_->losses());
    for (const auto& loss : losses) untold += loss.documents;
    const std::string figures = ": made " + std::to_string(made_) + ", stored " + std::to_string(stored_.size()) + ", lost " +
                                std::to_string(lost) + ", told " + std::to_string(told_) + ", untold " + std::to_string(untold);
    require(must(spool_->status()).waiting_batches == 0, "nothing is left" + figures);
    require(made_ == stored_.size() + lost, "each was delivered, or is counted as lost" + figures);
    require(told_ + untold == lost, "each loss is told once" + figures);
    spool_.reset();
  }

  const Folder folder_;
  std::mt19937 random_;
  HandClock clock_;
  spool::SpoolOptions options_;
  std::unique_ptr<Spool> spool_;
  std::array<std::optional<spool::BatchKey>, 2> out_;
  std::set<spool::BatchKey> held_;
  std::map<spool::BatchKey, std::string> bodies_;
  std::set<spool::BatchKey> stored_keys_, unsure_;  // unsure: of those whose end failed nobody knows whether it was written
  std::set<std::string> stored_;
  std::uint64_t made_ = 0, told_ = 0;
  bool ill_ = false;
  std::string state_, trouble_;
};

}  // namespace

TEST_CASE("random lives of a spool: nothing is lost uncounted, nothing comes twice, the books always balance") {
  const FaultyVfs vfs;
  vfs.disk().skip_syncs = true;
  // SPOOL_MODEL_GAMES: how many; SPOOL_MODEL_SEED: the first.
  const char* const wanted = std::getenv("SPOOL_MODEL_GAMES");
  const char* const from = std::getenv("SPOOL_MODEL_SEED");
  const unsigned games = wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : 150;
  const unsigned first = from != nullptr ? static_cast<unsigned>(std::atoi(from)) : 1;
  for (unsigned seed = first; seed < first + games; ++seed) {
    vfs.disk().fail_from = vfs.disk().fail_until = 0;
    Game game(seed);
    game.play(60);
    INFO("seed " << seed << ": " << game.trouble());
    CHECK(game.trouble().empty());
  }
}
