// The store's doors: what each method is called, which pool it draws from. The work: collectors.cpp, documents.cpp, configs.cpp.
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

Outcome Store::add_api_key(const std::string& key_sha256, Role role) {
  PGA_CHECK(impl_->ask(embedded::key_add_sql, {key_sha256, std::string(name_of(role))}));
  return {};
}

Expected<std::optional<Role>> Store::role_of_api_key(const std::string& key_sha256) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::key_role_sql, {key_sha256}));
  if (rows.size() == 0) return std::optional<Role>();
  return std::optional<Role>(role_named(rows.text(0, 0)));
}

}  // namespace pganalytics::server::store
