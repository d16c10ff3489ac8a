#include "tests/core/spool/sweep/verdict.h"

#include <dirent.h>
#include <sqlite3.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace pganalytics::spool_sweep {
namespace {

using spool::BatchKey;
using spool::Lane;
using spool::Spool;

struct Broken {
  std::string promise;
};

void require(bool kept, const std::string& promise) {
  if (!kept) throw Broken{promise};
}

template <class T>
T must(Expected<T> result, const char* doing) {
  if (!result) throw Broken{std::string(doing) + ": " + result.error().message};
  return std::move(result).value();
}
void must(const Outcome& result, const char* doing) {
  if (!result) throw Broken{std::string(doing) + ": " + result.error().message};
}

class Judge {
 public:
  Judge(const std::string& dir, const Truth& truth, const Expectation& expected)
      : dir_(dir), truth_(truth), expected_(expected) {}

  Verdict run() {
    static const StillClock clock;
    try {
      spool_ = must(Spool::open(dir_, options_with(clock)), "open");
      verdict_.salvaged = was_salvaged();
      check_states();
      if (expected_.drain) {
        drain();
      } else {
        read_beside();
      }
      check_counts();
      check_holes();
      if (expected_.drain) seal_on();
    } catch (const Broken& broken) {
      verdict_.wrong = broken.promise;
    }
    return verdict_;
  }

 private:
  [[nodiscard]] bool was_salvaged() const {
    DIR* const folder = ::opendir(dir_.c_str());
    bool found = false;
    while (const dirent* const entry = folder != nullptr ? ::readdir(folder) : nullptr) {
      found = found || std::strncmp(entry->d_name, "spool.db.damaged-", 17) == 0;
    }
    if (folder != nullptr) ::closedir(folder);
    return found;
  }

  void serve(const spool::Batch& batch) {
    const auto known = truth_.waiting.find(batch.key);
    require(known != truth_.waiting.end(), "serves " + batch.key.text() + ", which does not wait");
    const spool::Batch& true_one = known->second;
    require(served_.insert(batch.key).second, "serves " + batch.key.text() + " twice");
    require(batch.body == true_one.body && batch.encoding == true_one.encoding, "serves other bytes as " + batch.key.text());
    require(batch.plugin == true_one.plugin && batch.documents == true_one.documents &&
                batch.first_unix_ns == true_one.first_unix_ns && batch.last_unix_ns == true_one.last_unix_ns,
            "says something else of " + batch.key.text());
    served_documents_ += batch.documents;
  }

  void drain() {
    for (;;) {
      const auto batch = must(spool_->next(served_.size() % 3 == 0 ? Lane::kLive : Lane::kBacklog), "next");
      if (!batch) break;
      serve(*batch);
      must(spool_->acknowledge(batch->key), "acknowledge");
    }
    require(must(spool_->status(), "status").waiting_batches == 0, "something still waits");
  }

  // What next() would serve: the rows of sound bodies. That the rows are sound is what was just checked by opening.
  void read_beside() {
    sqlite3* database = nullptr;
    sqlite3_stmt* rows = nullptr;
    require(sqlite3_open_v2((dir_ + "/spool.db").c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK, "open beside");
    require(sqlite3_prepare_v2(database,
                               "SELECT epoch, seq, part, plugin, documents, first_unix_ns, last_unix_ns, encoding, crc32, body"
                               " FROM batch",
                               -1, &rows, nullptr) == SQLITE_OK,
            "read beside");
    const auto text = [&](int column) {
      const void* const bytes = sqlite3_column_blob(rows, column);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(rows, column));
      return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), size);
    };
    const auto number = [&](int column) { return sqlite3_column_int64(rows, column); };
    int code = SQLITE_ROW;
    std::string broken;
    while (broken.empty() && (code = sqlite3_step(rows)) == SQLITE_ROW) {
      spool::Batch batch;
      batch.key = {text(0), static_cast<std::uint64_t>(number(1)), text(2)};
      batch.plugin = text(3);
      batch.documents = static_cast<std::uint32_t>(number(4));
      batch.first_unix_ns = number(5);
      batch.last_unix_ns = number(6);
      batch.body = text(9);
      const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(batch.body.data()), batch.body.size());
      const auto encoding = compression::parse_content_encoding(text(7));
      if (!encoding || static_cast<std::int64_t>(crc) != number(8)) {
        unsound_ += batch.documents;  // next() sets it aside, with the count that the row says
        unsound_keys_.insert(batch.key);
        continue;
      }
      batch.encoding = *encoding;
      try {
        serve(batch);
      } catch (const Broken& promise) {
        broken = promise.promise;
      }
    }
    sqlite3_finalize(rows);
    sqlite3_close(database);
    require(broken.empty(), broken);
    require(code == SQLITE_DONE, "read beside to the end");
  }

  void check_counts() {
    const auto status = must(spool_->status(), "status");
    require(status.produced_documents == status.acknowledged_documents + status.lost_documents + status.waiting_documents,
            "the books do not balance");
    for (const auto& loss : must(spool_->losses(), "losses")) {
      ledger_documents_ += loss.documents;
      losses_.push_back(loss);
    }
    verdict_.served = served_.size();
    if (!expected_.counts_exactly) return;
    require(status.produced_documents == truth_.produced, "produced is " + std::to_string(status.produced_documents));
    const std::uint64_t lost = status.lost_documents - truth_.lost + unsound_;
    verdict_.lost = lost;
    require(served_documents_ + lost == truth_.waiting_documents, std::to_string(served_documents_) + " served and " +
                                                                      std::to_string(lost) + " lost of " +
                                                                      std::to_string(truth_.waiting_documents) + " documents");
    require(!expected_.loses_nothing || lost == 0, "lost something, though everything is there");
    // A lost carrier's rows come back to the ledger, so it may tell more than before, and never less than was lost since.
    require(!expected_.knows_ledger || ledger_documents_ + unsound_ >= truth_.ledger_documents + lost,
            "the ledger lacks documents");
    require(ledger_documents_ <= status.lost_documents, "the ledger tells more than was lost");
  }

  void check_holes() {
    if (!expected_.counts_exactly) return;
    for (const auto& [key, batch] : truth_.waiting) {
      if (served_.count(key) != 0 || unsound_keys_.count(key) != 0) continue;
      require(std::any_of(losses_.begin(), losses_.end(),
                          [&](const spool::Loss& loss) {
                            return loss.epoch == key.epoch && loss.first_seq <= key.seq && key.seq <= loss.last_seq;
                          }),
              "no row of the ledger tells of " + key.text());
    }
  }

  void check_states() {
    for (const auto& [plugin, state] : truth_.states) {
      const auto now = must(spool_->state_of(plugin), "state");
      require(now.empty() || now == state, "the state of " + plugin + " is another one");
      require(!expected_.loses_nothing || now == state, "the state of " + plugin + " is gone");
    }
    for (const auto& [key, value] : truth_.values) {
      const auto now = must(spool_->value(key), "value");
      require(!now || *now == value, "the value " + key + " is another one");
    }
  }

  void seal_on() {
    spool::SealedRun run;
    run.plugin = "pg_stats";
    run.documents = {R"({"type":"pg_stats"})"};
    const std::uint64_t seq = must(spool_->seal(std::move(run)), "seal");
    const auto batch = must(spool_->next(Lane::kLive), "next");
    require(batch.has_value() && batch->key.seq == seq, "does not serve what it sealed");
    require(batch->key.epoch != truth_.epoch || seq > truth_.last_seq, "uses the number " + batch->key.text() + " again");
  }

  const std::string& dir_;
  const Truth& truth_;
  const Expectation& expected_;
  std::unique_ptr<Spool> spool_;
  std::set<BatchKey> served_, unsound_keys_;
  std::uint64_t served_documents_ = 0, unsound_ = 0, ledger_documents_ = 0;
  std::vector<spool::Loss> losses_;
  Verdict verdict_;
};

}  // namespace

Verdict judge(const std::string& dir, const Truth& truth, const Expectation& expected) {
  return Judge(dir, truth, expected).run();
}

}  // namespace pganalytics::spool_sweep
