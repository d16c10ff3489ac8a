#include "core/server/store/push_transaction.h"

#include "core/server/store/array_text.h"
#include "core/server/store/copy_text.h"
#include "core/server/store/impl.h"
#include "core/server/store/push_series.h"
#include "core/server/store/row_batch.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pganalytics::server::store {
namespace {

// The statements of a push look for what arrays hold, by an index: there is nothing to plan anew for each of them.
constexpr char kBegin[] = "begin; set local plan_cache_mode = force_generic_plan";
constexpr std::size_t kDigestDigits = 64;

// What `push` says the digest of its whole, or half, called `part` is; empty if it does not say.
std::string_view told_digest(const Push& push, std::string_view part) {
  const std::size_t begin = (part.size() + 1) / 2 * (kDigestDigits + 1);
  return begin < push.of.size() ? std::string_view(push.of).substr(begin, kDigestDigits) : std::string_view();
}

// A batch that is there under the number of a push: the same, a whole that it is part of, or a part of it.
struct Relative {
  std::string_view part, digest_sha256;
  std::int64_t accepted = 0;
};

PushResult duplicate(std::int64_t accepted) { return {PushResult::Kind::kDuplicate, static_cast<std::uint32_t>(accepted), {}}; }

// What is there already: the same again, what this push is a part of, or parts of it. All else is another history under the same
// number, of a machine that was cloned or set back.
PushResult judge(const std::vector<Relative>& kin, const Push& push) {
  for (const Relative& relative : kin) {
    if (relative.part == push.part && relative.digest_sha256 == push.digest_sha256) return duplicate(relative.accepted);
    if (relative.part.size() < push.part.size() && relative.digest_sha256 == told_digest(push, relative.part)) {
      return duplicate(static_cast<std::int64_t>(push.documents.size()));
    }
  }
  // If one of them is a part all are: a part and its whole are never both there.
  const bool are_parts = kin.front().part.size() > push.part.size();
  return {are_parts ? PushResult::Kind::kPartStored : PushResult::Kind::kConflict, 0, {}};
}

// Pushes that store what they bring once, by who they are.
class Together {
 public:
  Together(Pool& pool, SeriesCache& known, const std::vector<const Push*>& pushes)
      : pool_(pool), known_(known), pushes_(pushes), results_(pushes.size()) {}

  Expected<std::vector<PushResult>> store() {
    PGA_TRY(Transaction transaction, Transaction::begin(pool_, -1, kBegin));
    LearntSeries learnt;
    if (Outcome stored = store_in(transaction, learnt); !stored) {
      transaction.roll_back();  // so that whoever comes again at once does not meet our locks
      return std::move(stored).error();
    }
    known_.remember(learnt);
    std::vector<PushResult> results;
    results.reserve(results_.size());
    for (const auto& result : results_) results.push_back(*result);
    return results;
  }

 private:
  // `learnt` holds once this returned.
  Outcome store_in(Transaction& transaction, LearntSeries& learnt) {
    PGA_CHECK(lock(transaction));
    PGA_CHECK(claim(transaction));
    const std::vector<const Push*> ours = unsettled(false);
    if (!ours.empty()) PGA_CHECK(add(transaction, ours, learnt));
    return transaction.commit();
  }

  // Those that go on, of all or of those with a number: one that has none is stored each time it comes.
  [[nodiscard]] std::vector<const Push*> unsettled(bool numbered) const {
    std::vector<const Push*> left;
    for (std::size_t i = 0; i < pushes_.size(); ++i) {
      if (!results_[i] && !(numbered && pushes_[i]->epoch.empty())) left.push_back(pushes_[i]);
    }
    return left;
  }
  std::optional<PushResult>& result_of(const Push* push) {
    return results_[static_cast<std::size_t>(std::find(pushes_.begin(), pushes_.end(), push) - pushes_.begin())];
  }

  // The locks are tried and not waited for: a collector that gave up on a slow push and comes again would hold a second
  // connection until the first is done. Before claim(), whose snapshot must be younger.
  Outcome lock(Transaction& transaction) {
    const auto numbered = unsettled(true);
    if (numbered.empty()) return {};
    ArrayText keys;
    for (const Push* push : numbered) keys.text(push->collector_id + "." + push->epoch + "." + std::to_string(push->seq));
    PGA_TRY(const postgres::Rows locked, transaction.ask_often(embedded::batches_lock_sql, {std::move(keys).finish()}));
    for (std::size_t i = 0; i < numbered.size(); ++i) {
      if (locked.text(static_cast<int>(i), 0) != "t") {
        result_of(numbered[i]) = PushResult{PushResult::Kind::kInProgress, 0, {}};
      }
    }
    return {};
  }

  // The rows that make a push happen once. What is not ours is settled: somebody was there before.
  Outcome claim(Transaction& transaction) {
    const auto numbered = unsettled(true);
    if (numbered.empty()) return {};
    ArrayText collectors, epochs, numbers, parts, digests, accepted, rejected;
    for (const Push* push : numbered) {
      collectors.text(push->collector_id);
      epochs.text(push->epoch);
      numbers.number(static_cast<std::int64_t>(push->seq));
      parts.text(push->part);
      digests.text(push->digest_sha256);
      accepted.number(static_cast<std::int64_t>(push->documents.size()));
      rejected.number(push->rejected);
    }
    PGA_TRY(const postgres::Rows rows,
            transaction.ask_often(embedded::batches_claim_sql,
                                  {std::move(collectors).finish(), std::move(epochs).finish(), std::move(numbers).finish(),
                                   std::move(parts).finish(), std::move(digests).finish(), std::move(accepted).finish(),
                                   std::move(rejected).finish()}));
    std::vector<std::vector<Relative>> kin(numbered.size());
    std::vector<bool> added(numbered.size());
    for (int row = 0; row < rows.size(); ++row) {
      const auto place = static_cast<std::size_t>(rows.int64(row, 0).value_or(1) - 1);
      added[place] = rows.boolean(row, 1).value_or(false);
      if (!rows.is_null(row, 2)) kin[place].push_back({rows.text(row, 2), rows.text(row, 3), rows.int64(row, 4).value_or(0)});
    }
    for (std::size_t i = 0; i < numbered.size(); ++i) {
      if (added[i]) continue;
      // Only a program that does not take the lock, an older one beside this, can come between.
      if (kin[i].empty()) return Error{PGA_E_TRANSIENT, "store.raced", "another push of the same batch came between", "", 0};
      result_of(numbered[i]) = judge(kin[i], *numbered[i]);
    }
    return {};
  }

  Outcome add(Transaction& transaction, const std::vector<const Push*>& ours, LearntSeries& learnt) {
    CopyText documents;
    std::vector<RowBatch*> batches;
    for (const Push* push : ours) {
      copy_rows(*push, documents);
      if (push->rows != nullptr) batches.push_back(push->rows);
    }
    if (!documents.text().empty()) PGA_CHECK(transaction.copy(embedded::documents_copy_sql, {documents.text()}));
    for (const Push* push : ours) {
      for (const UnreadDocuments& unread : push->unread) {
        PGA_CHECK(transaction.ask_often(embedded::unread_add_sql, {push->collector_id, unread.type, unread.schema_sha256}));
      }
    }
    PGA_CHECK(add_rows(transaction, known_, batches, learnt));
    return count(transaction, ours);
  }

  static void copy_rows(const Push& push, CopyText& rows) {
    const std::string seq = std::to_string(push.seq);
    for (const DocumentRow& document : push.documents) {
      rows.field(push.collector_id).field(document.type).field(timestamp_text(document.timestamp_unix_ns));
      rows.field(push.epoch).field(seq).field(push.part).field(std::to_string(document.index)).field(document.document).end_row();
    }
  }

  // Of its documents; nullopt: it has none.
  static std::optional<std::string> newest_time(const Push& push) {
    const auto newest =
        std::max_element(push.documents.begin(), push.documents.end(),
                         [](const DocumentRow& a, const DocumentRow& b) { return a.timestamp_unix_ns < b.timestamp_unix_ns; });
    if (newest == push.documents.end()) return std::nullopt;
    return timestamp_text(newest->timestamp_unix_ns);
  }

  // At the collectors, last: from here on other pushes of theirs wait for us. In the order of their ids.
  Outcome count(Transaction& transaction, std::vector<const Push*> ours) {
    std::sort(ours.begin(), ours.end(), [](const Push* a, const Push* b) { return a->collector_id < b->collector_id; });
    ArrayText ids, documents, hostnames, versions, out_of_time, newest;
    for (const Push* push : ours) {
      ids.text(push->collector_id);
      documents.number(static_cast<std::int64_t>(push->documents.size()));
      hostnames.text(push->hostname);
      versions.text(push->version);
      out_of_time.number(push->rows == nullptr ? 0 : static_cast<std::int64_t>(push->rows->out_of_time()));
      const auto time = newest_time(*push);
      time ? newest.text(*time) : newest.null();
    }
    PGA_TRY(const postgres::Rows counted,
            transaction.ask_often(embedded::collectors_pushed_sql,
                                  {std::move(ids).finish(), std::move(documents).finish(), std::move(hostnames).finish(),
                                   std::move(versions).finish(), std::move(out_of_time).finish(), std::move(newest).finish()}));
    std::unordered_map<std::string_view, std::uint64_t> versions_of;
    for (int row = 0; row < counted.size(); ++row) {
      versions_of.emplace(counted.text(row, 0), static_cast<std::uint64_t>(counted.int64(row, 1).value_or(0)));
    }
    for (const Push* push : ours) {
      const auto version = versions_of.find(push->collector_id);
      if (version == versions_of.end()) {
        return Error{PGA_E_DENIED, "store.collector", "collector " + push->collector_id + " is revoked or not known", "", 0};
      }
      result_of(push) =
          PushResult{PushResult::Kind::kStored, static_cast<std::uint32_t>(push->documents.size()), version->second};
    }
    return {};
  }

  Pool& pool_;
  SeriesCache& known_;
  const std::vector<const Push*>& pushes_;
  std::vector<std::optional<PushResult>> results_;  // of pushes_; nullopt: to be stored
};

}  // namespace

Expected<std::vector<PushResult>> store_together(Pool& pool, SeriesCache& series, const std::vector<const Push*>& pushes) {
  return Together(pool, series, pushes).store();
}

}  // namespace pganalytics::server::store
