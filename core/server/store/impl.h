// What the store's source files share: the pool, one-statement questions, transactions. Private to this folder.
#pragma once

#include "core/server/store/pool.h"
#include "core/server/store/series_cache.h"
#include "core/server/store/store.h"
#include "store_embedded.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::store {

using Parameters = std::vector<std::optional<std::string>>;

// libpq takes parameters as C strings: what follows a zero byte would be cut off unseen.
inline Outcome check_parameters(const Parameters& parameters) {
  for (const auto& parameter : parameters) {
    if (parameter && parameter->find('\0') != std::string::npos) {
      return Error{PGA_E_CONFIG, "store.zero_byte", "a value for the database has a zero byte in it", "", 0};
    }
  }
  return {};
}

// An id that is no UUID names nobody; asking the database would be a type error.
inline bool is_uuid(const std::string& id) {
  if (id.size() != 36) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? id[i] != '-' : std::string_view("0123456789abcdef").find(id[i]) == std::string_view::npos) return false;
  }
  return true;
}

class Store::Impl {
 public:
  explicit Impl(StoreOptions options) : pool(std::move(options.conninfo), options.connections, options.prepared) {
    if (options.document_days > 0) document_days = std::to_string(options.document_days);
  }

  // One statement on a connection of its own.
  Expected<postgres::Rows> ask(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    PGA_TRY(auto connection, pool.take());
    return connection->query(sql, parameters, call_deadline());
  }
  // The same for a statement of every push.
  Expected<postgres::Rows> ask_often(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    PGA_TRY(auto connection, pool.take());
    return connection.query_often(sql, parameters, call_deadline());
  }

  Pool pool;
  SeriesCache series;
  std::optional<std::string> document_days;  // as a parameter; nullopt: as retention_days
};

// begin ... commit. Left without commit(), the transaction ends with its connection's return to the pool.
class Transaction {
 public:
  static Expected<Transaction> begin(Pool& pool) {
    PGA_TRY(auto connection, pool.take());
    PGA_CHECK(connection->execute("begin", call_deadline()));
    return Transaction(std::move(connection));
  }
  Expected<postgres::Rows> ask(const char* sql, const Parameters& parameters,
                               const postgres::Deadline& deadline = call_deadline()) {
    PGA_CHECK(check_parameters(parameters));
    return connection_->query(sql, parameters, deadline);
  }
  // A statement of every push.
  Expected<postgres::Rows> ask_often(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    return connection_.query_often(sql, parameters, call_deadline());
  }
  Expected<std::int64_t> copy(const char* sql, std::string_view data) { return connection_->copy_in(sql, data, call_deadline()); }
  Outcome commit() {
    PGA_CHECK(connection_->execute("commit", call_deadline()));
    return {};
  }

 private:
  explicit Transaction(Pool::Lease connection) : connection_(std::move(connection)) {}
  Pool::Lease connection_;
};

inline Parameters parameters_of(const AuditEntry& entry) {
  return {entry.actor, entry.action, entry.subject, entry.detail_json, entry.address};
}

// The entry of what this transaction does, so that there is neither without the other. Last before its commit: from then on the
// writers of the log wait for us. An entry without action writes none.
inline Outcome add_entry(Transaction& transaction, const AuditEntry& entry) {
  if (entry.action.empty()) return {};
  PGA_CHECK(transaction.ask(embedded::audit_add_sql, parameters_of(entry)));
  return {};
}

constexpr std::string_view name_of(Role role) {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kOperator: return "operator";
    case Role::kViewer: break;
  }
  return "viewer";
}

inline Role role_named(std::string_view name) {
  if (name == "admin") return Role::kAdmin;
  return name == "operator" ? Role::kOperator : Role::kViewer;
}

}  // namespace pganalytics::server::store
