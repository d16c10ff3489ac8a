// What is kept no longer: partitions of documents, documents of collectors with a shorter retention than others, batch numbers.
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
Outcome make_partitions(Pool& pool) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return {};
  PGA_CHECK(transaction.ask(embedded::partitions_make_sql, {kDaysAhead}));
  return transaction.commit();
}

Expected<std::string> drop_partition(Pool& pool) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return std::string();
  PGA_TRY(const postgres::Rows dropped, transaction.ask(embedded::partition_drop_sql, {}));
  PGA_CHECK(transaction.commit());
  return std::string(dropped.text(0, 0));
}

Expected<std::int64_t> forget_documents(Transaction& transaction) {
  PGA_TRY(const postgres::Rows due, transaction.ask(embedded::documents_due_sql, {}));
  std::int64_t gone = 0;
  for (int row = 0; row < due.size() && gone < kRoundRows; ++row) {
    PGA_TRY(const postgres::Rows forgotten,
            transaction.ask(embedded::documents_forget_sql,
                            {std::string(due.text(row, 0)), std::string(due.text(row, 1)), std::to_string(kRoundRows - gone)}));
    gone += forgotten.affected();
  }
  return gone;
}

}  // namespace

Expected<Expired> Store::expire() {
  PGA_CHECK(make_partitions(impl_->pool));
  Expired expired;
  PGA_TRY(expired.partition, drop_partition(impl_->pool));
  if (!expired.partition.empty()) return expired;  // the next may be old enough too, and rows go with it
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const bool leader, lead(transaction));
  if (!leader) return expired;
  PGA_TRY(expired.documents, forget_documents(transaction));
  PGA_TRY(const postgres::Rows batches, transaction.ask(embedded::batches_expire_sql, {std::to_string(kRoundRows)}));
  expired.batches = batches.affected();
  PGA_CHECK(transaction.commit());
  return expired;
}

}  // namespace pganalytics::server::store
