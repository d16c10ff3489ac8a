// The store's doors: what each method is called, which pool it draws from. The work: certificates.cpp,
// collectors.cpp, credentials.cpp, documents.cpp, configs.cpp, retention.cpp.
#include "core/server/store/store.h"

#include "core/server/store/impl.h"
#include "core/server/store/migrate.h"

namespace pganalytics::server::store {

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Expected<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  {
    PGA_TRY(auto connection, impl->pool.take());
    PGA_CHECK(migrate(*connection.operator->()));
  }
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Outcome Store::ping() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::ping_sql, {}));
  if (!rows.boolean(0, 0).value_or(false)) return {};
  return Error{PGA_E_TRANSIENT, "store.read_only", "the database is read-only: a standby, or set so", "", 0};
}

StoreNumbers Store::numbers() {
  const Pool::Load load = impl_->pool.load();
  return {load.connections,
          load.in_use,
          load.waiting,
          impl_->series.size(),
          impl_->pushes.waiting(),
          impl_->pool.statements.slow(),
          impl_->pool.statements.durations().snapshot()};
}

Expected<Backlog> Store::backlog(int cancel_fd) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool, cancel_fd));
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::backlog_sql, {}));
  PGA_CHECK(transaction.commit());
  return Backlog{rows.int64(0, 0).value_or(0), rows.int64(0, 1).value_or(0), rows.int64(0, 2).value_or(0)};
}

void Store::set_slow_query_ms(std::int64_t slow_query_ms) { impl_->pool.statements.set_slow_ms(slow_query_ms); }
void Store::set_document_days(int document_days) { impl_->set_document_days(document_days); }

}  // namespace pganalytics::server::store
