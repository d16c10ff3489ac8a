// What people carry: registration tokens and API keys. Only their hashes are here; ids name them in lists.
#include "core/server/store/impl.h"

namespace pganalytics::server::store {
namespace {

Expected<std::uint64_t> parse_id(const std::string& what, const std::string& id) {
  const bool digits = !id.empty() && id.size() <= 18 && id.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return static_cast<std::uint64_t>(std::stoull(id));
  return Error{PGA_E_CONFIG, "store.id", "'" + id + "' is not the id of a " + what, "Ids are the numbers that the list shows.",
               0};
}

Error not_known(const std::string& what, const std::string& id, const std::string& list) {
  return Error{PGA_E_NOTFOUND, "store.credential", "there is no " + what + " " + id, list + " shows them.", 0};
}

std::int64_t ns_at(const postgres::Rows& rows, int row, int column) { return rows.int64(row, column).value_or(0) * 1'000; }

// Returns its id, which is the entry's subject, too.
Expected<std::string> add_credential(Pool& pool, const char* sql, const Parameters& values, const std::string& kind,
                                     AuditEntry entry) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool));
  PGA_TRY(const postgres::Rows rows, transaction.ask(sql, values));
  std::string id(rows.text(0, 0));
  entry.subject = kind + id;
  PGA_CHECK(add_entry(transaction, entry));
  PGA_CHECK(transaction.commit());
  return id;
}

Expected<bool> revoke_credential(Pool& pool, const char* sql, std::uint64_t id, const AuditEntry& entry) {
  PGA_TRY(Transaction transaction, Transaction::begin(pool));
  PGA_TRY(const postgres::Rows rows, transaction.ask(sql, {std::to_string(id)}));
  if (rows.affected() == 0) return false;
  PGA_CHECK(add_entry(transaction, entry));
  PGA_CHECK(transaction.commit());
  return true;
}

}  // namespace

Expected<std::string> Store::add_registration_token(const std::string& token_sha256, std::uint32_t uses, std::int64_t ttl_ms,
                                                    const std::string& hostname_glob, const AuditEntry& entry) {
  return add_credential(impl_->pool, embedded::token_add_sql,
                        {token_sha256, std::to_string(uses), std::to_string(ttl_ms), hostname_glob}, "token:", entry);
}

Expected<std::vector<TokenRow>> Store::registration_tokens() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::token_list_sql, {}));
  std::vector<TokenRow> found;
  for (int row = 0; row < rows.size(); ++row) {
    TokenRow token;
    token.id = rows.text(row, 0);
    token.uses = static_cast<std::uint32_t>(rows.int64(row, 1).value_or(0));
    token.uses_left = static_cast<std::uint32_t>(rows.int64(row, 2).value_or(0));
    token.hostname_glob = rows.text(row, 3);
    token.created_unix_ns = ns_at(rows, row, 4);
    token.expires_unix_ns = ns_at(rows, row, 5);
    token.state = rows.text(row, 6);
    token.last_used_unix_ns = ns_at(rows, row, 7);
    found.push_back(std::move(token));
  }
  return found;
}

Outcome Store::revoke_registration_token(const std::string& id, const AuditEntry& entry) {
  PGA_TRY(const std::uint64_t number, parse_id("registration token", id));
  PGA_TRY(const bool known, revoke_credential(impl_->pool, embedded::token_revoke_sql, number, entry));
  if (!known) return not_known("registration token", id, "pganalytics-server token list");
  return {};
}

Expected<std::string> Store::add_api_key(const std::string& key_sha256, Role role, const std::string& label,
                                         const AuditEntry& entry) {
  return add_credential(impl_->pool, embedded::key_add_sql, {key_sha256, std::string(name_of(role)), label}, "key:", entry);
}

Expected<std::optional<Role>> Store::role_of_api_key(const std::string& key_sha256) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::key_role_sql, {key_sha256}));
  if (rows.size() == 0) return std::optional<Role>();
  return std::optional<Role>(role_named(rows.text(0, 0)));
}

Outcome Store::note_key_used(const std::string& key_sha256) {
  PGA_CHECK(impl_->ask(embedded::key_used_sql, {key_sha256}));
  return {};
}

Expected<std::vector<KeyRow>> Store::api_keys() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::key_list_sql, {}));
  std::vector<KeyRow> found;
  for (int row = 0; row < rows.size(); ++row) {
    found.push_back({std::string(rows.text(row, 0)), role_named(rows.text(row, 1)), std::string(rows.text(row, 2)),
                     ns_at(rows, row, 3), rows.boolean(row, 4).value_or(true), ns_at(rows, row, 5)});
  }
  return found;
}

Outcome Store::revoke_api_key(const std::string& id, const AuditEntry& entry) {
  PGA_TRY(const std::uint64_t number, parse_id("key", id));
  PGA_TRY(const bool known, revoke_credential(impl_->pool, embedded::key_revoke_sql, number, entry));
  if (!known) return not_known("key", id, "pganalytics-server key list");
  return {};
}

Outcome Store::forget_old_credentials() {
  PGA_CHECK(impl_->ask(embedded::tokens_expire_sql, {}));
  PGA_CHECK(impl_->ask(embedded::certificates_expire_sql, {}));
  return {};
}

}  // namespace pganalytics::server::store
