// What is kept no longer: whole partitions; in them what belongs to collectors with a shorter retention than others; series and
// texts that are not needed any more; batch numbers.
#include "core/server/store/impl.h"

namespace pganalytics::server::store {
namespace {

constexpr char kDaysAhead[] = "7";           // what a server that could not make partitions for a week still has
constexpr std::int64_t kRoundRows = 10'000;  // short enough for statement_timeout on a slow disk

Expected<bool> lead(Transaction& transaction) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::housekeeping_lock_sql, {}));
  return rows.boolean(0, 0).value_or(false);
}

// Its own transaction: that a push finds its partition must not wait for what is to be forgotten.
Outcome make_partitions(Pool& pool, const std::optional<std::string>& document_days, int cancel_fd) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool, cancel_fd));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return {};
  PGA_CHECK(transaction.ask(embedded::partitions_make_sql, {kDaysAhead, document_days}));
  return transaction.commit();
}

Expected<std::string> drop_partition(Pool& pool, const std::optional<std::string>& document_days, int cancel_fd) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool, cancel_fd));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return std::string();
  PGA_TRY(const postgres::Rows dropped, transaction.ask(embedded::partition_drop_sql, {document_days}));
  PGA_CHECK(transaction.commit());
  return std::string(dropped.text(0, 0));
}

Expected<std::int64_t> forget_documents(Transaction& transaction, const std::optional<std::string>& document_days) {
  PGA_TRY(const postgres::Rows due, transaction.ask(embedded::documents_due_sql, {document_days}));
  std::int64_t gone = 0;
  for (int row = 0; row < due.size() && gone < kRoundRows; ++row) {
    PGA_TRY(const postgres::Rows forgotten,
            transaction.ask(embedded::documents_forget_sql,
                            {std::string(due.text(row, 0)), std::string(due.text(row, 1)), std::to_string(kRoundRows - gone)}));
    gone += forgotten.affected();
  }
  return gone;
}

// Points and events of collectors that keep less than others.
Outcome sweep(Transaction& transaction, Expired& expired) {
  PGA_TRY(const postgres::Rows due, transaction.ask(embedded::sweeps_due_sql, {}));
  std::int64_t left = kRoundRows;
  for (int row = 0; row < due.size() && left > 0; ++row) {
    const std::string partition(due.text(row, 0));
    PGA_TRY(const postgres::Rows swept,
            transaction.ask(embedded::partition_sweep_sql, {partition, std::string(due.text(row, 1)), std::to_string(left)}));
    const std::int64_t gone = swept.int64(0, 0).value_or(0);
    (partition.rfind("points", 0) == 0 ? expired.points : expired.events) += gone;
    left -= gone;
  }
  return {};
}

Expected<std::int64_t> forget_points(Transaction& transaction) {
  PGA_TRY(const postgres::Rows gone, transaction.ask(embedded::points_forget_sql, {std::to_string(kRoundRows)}));
  return gone.int64(0, 0).value_or(0);
}

Expected<std::int64_t> forget(Transaction& transaction, const char* sql) {
  PGA_TRY(const postgres::Rows gone, transaction.ask(sql, {std::to_string(kRoundRows)}));
  return gone.affected();
}

}  // namespace

Expected<Expired> Store::expire(int cancel_fd) {
  const auto document_days = impl_->document_days();
  PGA_CHECK(make_partitions(impl_->pool, document_days, cancel_fd));
  Expired expired;
  PGA_TRY(expired.partition, drop_partition(impl_->pool, document_days, cancel_fd));
  if (!expired.partition.empty()) return expired;  // the next may be old enough too, and rows go with it
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool, cancel_fd));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return expired;
  PGA_TRY(expired.documents, forget_documents(transaction, document_days));
  PGA_CHECK(sweep(transaction, expired));
  PGA_TRY(const std::int64_t late_points, forget_points(transaction));
  PGA_TRY(const std::int64_t late_events, forget(transaction, embedded::events_forget_sql));
  expired.points += late_points;
  expired.events += late_events;
  PGA_TRY(expired.series, forget(transaction, embedded::series_forget_sql));
  PGA_TRY(expired.texts, forget(transaction, embedded::texts_forget_sql));
  PGA_TRY(expired.batches, forget(transaction, embedded::batches_expire_sql));
  PGA_CHECK(transaction.ask(embedded::forward_forget_sql, {std::to_string(kRoundRows)}));
  PGA_CHECK(transaction.commit());
  return expired;
}

}  // namespace pganalytics::server::store
