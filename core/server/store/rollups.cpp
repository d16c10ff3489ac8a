// Points in short (migrations/0009_rollups.sql): made by one server at a time, a bounded piece at a time, and forgotten.
#include "core/server/store/impl.h"

#include <chrono>

namespace pganalytics::server::store {
namespace {

constexpr char kBudgetMs[] = "500";  // of one round; the bucket that is being rolled up then comes on top
// Longer than other statements may take: a snapshot of tens of thousands of tables on a slow machine must not fail each time.
// Above rollup_patience.sql, so that the server's own words come first.
constexpr auto kBucketPatience = std::chrono::seconds(70);
constexpr char kForgetRows[] = "10000";  // short enough for statement_timeout on a slow disk

// One statement, if no other server is at it; no rows otherwise.
Expected<std::optional<postgres::Rows>> ask_as_leader(Pool& pool, int cancel_fd, const char* sql, const Parameters& parameters) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool, cancel_fd));
  PGA_TRY(const postgres::Rows locked, transaction.ask(embedded::rollup_lock_sql, {}));
  if (!locked.boolean(0, 0).value_or(false)) return std::optional<postgres::Rows>();
  PGA_CHECK(transaction.ask(embedded::rollup_patience_sql, {}));
  PGA_TRY(postgres::Rows rows, transaction.ask(sql, parameters, postgres::deadline_in(kBucketPatience, cancel_fd)));
  PGA_CHECK(transaction.commit());
  return std::optional<postgres::Rows>(std::move(rows));
}

}  // namespace

Expected<RolledUp> Store::roll_up(const RollUpRetention& retention, int cancel_fd) {
  const std::string days_5m = std::to_string(retention.days_of_5m), days_1h = std::to_string(retention.days_of_1h);
  RolledUp done;
  PGA_CHECK(ask_as_leader(impl_->pool, cancel_fd, embedded::rollup_partitions_make_sql, {}));
  PGA_TRY(const auto dropped, ask_as_leader(impl_->pool, cancel_fd, embedded::rollup_partition_drop_sql, {days_5m, days_1h}));
  if (dropped) done.dropped_partition = dropped->text(0, 0);
  PGA_CHECK(ask_as_leader(impl_->pool, cancel_fd, embedded::rollups_forget_sql, {days_5m, days_1h, kForgetRows}));
  PGA_TRY(const auto rolled, ask_as_leader(impl_->pool, cancel_fd, embedded::rollup_sql, {kBudgetMs}));
  done.more = !done.dropped_partition.empty() || (rolled && rolled->boolean(0, 0).value_or(false));
  return done;
}

}  // namespace pganalytics::server::store
