// What collectors push, stored once, and read back in pages.
#include "core/server/store/copy_text.h"
#include "core/server/store/impl.h"
#include "core/server/store/pages.h"
#include "core/server/store/push_series.h"
#include "core/server/store/row_batch.h"

#include <algorithm>

namespace pganalytics::server::store {
namespace {

std::string copy_rows(const Push& push) {
  CopyText rows;
  const std::string seq = std::to_string(push.seq);
  for (const DocumentRow& document : push.documents) {
    rows.field(push.collector_id).field(document.type).field(timestamp_text(document.timestamp_unix_ns));
    rows.field(push.epoch).field(seq).field(push.part).field(std::to_string(document.index)).field(document.document).end_row();
  }
  return rows.text();
}

constexpr std::size_t kDigestDigits = 64;

// What `push` says the digest of its whole, or half, called `part` is; empty if it does not say.
std::string_view told_digest(const Push& push, std::string_view part) {
  const std::size_t begin = (part.size() + 1) / 2 * (kDigestDigits + 1);
  return begin < push.of.size() ? std::string_view(push.of).substr(begin, kDigestDigits) : std::string_view();
}

PushResult duplicate(std::int64_t accepted) { return {PushResult::Kind::kDuplicate, static_cast<std::uint32_t>(accepted)}; }

// What is there already of this number: the same again, what this push is a part of, or parts of it. All else is another history
// under the same number, of a machine that was cloned or set back.
PushResult judge(const postgres::Rows& kin, const Push& push) {
  for (int row = 0; row < kin.size(); ++row) {
    const std::string_view part = kin.text(row, 1), digest = kin.text(row, 2);
    if (part == push.part && digest == push.digest_sha256) return duplicate(kin.int64(row, 3).value_or(0));
    if (part.size() < push.part.size() && digest == told_digest(push, part)) {
      return duplicate(static_cast<std::int64_t>(push.documents.size()));
    }
  }
  const bool are_parts = kin.text(0, 1).size() > push.part.size();  // then all are: a part and its whole are never both there
  return {are_parts ? PushResult::Kind::kPartStored : PushResult::Kind::kConflict, 0};
}

// The row that makes a push happen once. nullopt: it is ours, go on; otherwise somebody was there before.
//
// Two statements, because the second one's snapshot must be younger than the lock. The lock is tried and not waited for: a
// collector that gave up on a slow push and comes again would hold a second connection until the first is done.
Expected<std::optional<PushResult>> claim(Transaction& transaction, const Push& push) {
  if (push.epoch.empty()) return std::optional<PushResult>();
  const std::string seq = std::to_string(push.seq);
  PGA_TRY(const postgres::Rows locked, transaction.ask_often(embedded::batch_lock_sql, {push.collector_id, push.epoch, seq}));
  if (locked.text(0, 0) != "t") return std::optional<PushResult>(PushResult{PushResult::Kind::kInProgress, 0});
  PGA_TRY(
      const postgres::Rows kin,
      transaction.ask_often(embedded::batch_claim_sql, {push.collector_id, push.epoch, seq, push.part, push.digest_sha256,
                                                        std::to_string(push.documents.size()), std::to_string(push.rejected)}));
  if (kin.int64(0, 0).value_or(0) == 1) return std::optional<PushResult>();
  if (!kin.is_null(0, 1)) return std::optional<PushResult>(judge(kin, push));
  // Only a program that does not take the lock, an older one beside this, can come between.
  return Error{PGA_E_TRANSIENT, "store.raced", "another push of the same batch came between", "", 0};
}

StoredDocument document_of(const postgres::Rows& rows, int row) {
  StoredDocument document;
  document.type = rows.text(row, 1);
  document.epoch = rows.text(row, 2);
  document.seq = static_cast<std::uint64_t>(rows.int64(row, 3).value_or(0));
  document.index = static_cast<std::uint32_t>(rows.int64(row, 4).value_or(0));
  document.document = rows.text(row, 5);
  document.timestamp_unix_ns = rows.int64(row, 6).value_or(0) * 1'000;
  document.received_unix_ns = rows.int64(row, 7).value_or(0) * 1'000;
  document.part = rows.text(row, 8);
  return document;
}

// Of its documents; nullopt: it has none.
std::optional<std::string> newest_time(const Push& push) {
  const auto newest =
      std::max_element(push.documents.begin(), push.documents.end(),
                       [](const DocumentRow& a, const DocumentRow& b) { return a.timestamp_unix_ns < b.timestamp_unix_ns; });
  if (newest == push.documents.end()) return std::nullopt;
  return timestamp_text(newest->timestamp_unix_ns);
}

// `learnt` holds once this is committed.
Expected<PushResult> add(Transaction& transaction, SeriesCache& known, const Push& push, LearntSeries& learnt) {
  if (!push.documents.empty()) PGA_CHECK(transaction.copy(embedded::documents_copy_sql, copy_rows(push)));
  for (const UnreadDocuments& unread : push.unread) {
    PGA_CHECK(transaction.ask_often(embedded::unread_add_sql, {push.collector_id, unread.type, unread.schema_sha256}));
  }
  if (push.rows != nullptr) PGA_CHECK(add_rows(transaction, known, *push.rows, learnt));
  const std::size_t out_of_time = push.rows == nullptr ? 0 : push.rows->out_of_time();
  PGA_TRY(const postgres::Rows counted,
          transaction.ask_often(embedded::collector_pushed_sql,
                                {push.collector_id, std::to_string(push.documents.size()), push.hostname, push.version,
                                 std::to_string(out_of_time), newest_time(push)}));
  if (counted.affected() != 1) {
    return Error{PGA_E_DENIED, "store.collector", "collector " + push.collector_id + " is revoked or not known", "", 0};
  }
  return PushResult{PushResult::Kind::kStored, static_cast<std::uint32_t>(push.documents.size())};
}

Expected<PushResult> push_once(Pool& pool, SeriesCache& series, const Push& push) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool));
  PGA_TRY(const auto before, claim(transaction, push));
  if (before) {
    PGA_CHECK(transaction.commit());
    return *before;
  }
  LearntSeries learnt;
  PGA_TRY(const PushResult stored, add(transaction, series, push, learnt));
  PGA_CHECK(transaction.commit());
  series.remember(learnt);
  return stored;
}

}  // namespace

Expected<PushResult> Store::push(const Push& push) {
  auto result = push_once(impl_->pool, impl_->series, push);
  const bool may_have_failed_over =
      !result && (result.error().status == PGA_E_TRANSIENT || result.error().status == PGA_E_DEADLINE);
  if (may_have_failed_over) impl_->series.clear();
  return result;
}

Expected<std::int64_t> Store::oldest_kept_unix_ns(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask_often(embedded::rows_oldest_sql, {collector_id}));
  return rows.int64(0, 0).value_or(0) * 1'000;
}

Expected<MetricsPage> Store::metrics(const MetricsQuery& query) {
  PGA_TRY(const PageTurn turn,
          PageTurn::begin(impl_->pool, embedded::documents_newest_id_sql, query.cursor, question_of(query), query.limit));
  Parameters parameters = {query.collector_id, query.type, time_parameter(query.from_unix_ns), time_parameter(query.to_unix_ns)};
  turn.add_to(parameters);
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::documents_page_sql, parameters));
  MetricsPage page;
  for (int row = 0; row < turn.shown(rows); ++row) page.documents.push_back(document_of(rows, row));
  page.next_cursor = turn.next_cursor(rows, 6, 0);
  return page;
}

}  // namespace pganalytics::server::store
