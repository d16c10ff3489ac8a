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
  PGA_CHECK(impl_->ask(embedded::ping_sql, {}));
  return {};
}

}  // namespace pganalytics::server::store
