// What collectors are told: versions with their history.
#include "core/server/store/impl.h"

namespace pganalytics::server::store {

Expected<ConfigRow> Store::config(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_newest_sql, {collector_id}));
  ConfigRow config;
  if (rows.size() == 0) return config;
  config.version = static_cast<std::uint64_t>(rows.int64(0, 0).value_or(0));
  config.document = rows.text(0, 1);
  return config;
}

Expected<std::uint64_t> Store::put_config(const std::string& collector_id, const std::string& document) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  // Two writers take turns, so that each gets a version of its own.
  PGA_TRY(const postgres::Rows locked, transaction.ask(embedded::config_lock_sql, {collector_id}));
  if (locked.size() == 0) return Error{PGA_E_NOTFOUND, "store.collector", "no collector has the id " + collector_id, "", 0};
  PGA_TRY(const postgres::Rows added, transaction.ask(embedded::config_add_sql, {collector_id, document}));
  PGA_CHECK(transaction.commit());
  return static_cast<std::uint64_t>(added.int64(0, 0).value_or(0));
}

}  // namespace pganalytics::server::store
