// What the store's source files share: the pool, one-statement questions, transactions. Private to this folder.
#pragma once

#include "core/server/store/pool.h"
#include "core/server/store/push_queue.h"
#include "core/server/store/push_transaction.h"
#include "core/server/store/series_cache.h"
#include "core/server/store/store.h"
#include "store_embedded.h"

#include "core/clock/clock.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <type_traits>
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

// Does it, and tells the watch how long it took.
template <class Work>
auto watched(StatementWatch& watch, std::string_view sql, const Work& work) -> decltype(work()) {
  const std::int64_t begun_ns = clock::now_monotonic_ns();
  auto result = work();
  const std::int64_t took_ns = clock::now_monotonic_ns() - begun_ns;
  if constexpr (std::is_same_v<decltype(result), Expected<postgres::Rows>>) {
    watch.ended(sql, took_ns, result ? std::max<std::int64_t>(result->size(), result->affected()) : -1);
  } else {
    watch.ended(sql, took_ns, result ? *result : -1);
  }
  return result;
}

// Few, so that pushes that come at the same time come together; those beside are for large ones and for questions.
constexpr unsigned kConnectionsPerPushTransaction = 4;

class Store::Impl {
 public:
  explicit Impl(StoreOptions options)
      : pool(std::move(options.conninfo), options.connections, options.prepared),
        pushes([this](const std::vector<const Push*>& together) { return store_together(pool, series, together); },
               std::max(1U, options.connections / kConnectionsPerPushTransaction)) {
    document_days_ = options.document_days;
    pool.statements.set_slow_ms(options.slow_query_ms);
  }

  // One statement on a connection of its own.
  Expected<postgres::Rows> ask(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    PGA_TRY(auto connection, pool.take());
    return watched(pool.statements, sql, [&] { return connection->query(sql, parameters, call_deadline()); });
  }
  // The same for a statement of every push.
  Expected<postgres::Rows> ask_often(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    PGA_TRY(auto connection, pool.take());
    return watched(pool.statements, sql, [&] { return connection.query_often(sql, parameters, call_deadline()); });
  }

  // As a parameter; nullopt: as retention_days.
  [[nodiscard]] std::optional<std::string> document_days() const {
    const int days = document_days_;
    return days > 0 ? std::optional(std::to_string(days)) : std::nullopt;
  }
  void set_document_days(int days) { document_days_ = days; }

  Pool pool;
  SeriesCache series;
  PushQueue pushes;

 private:
  std::atomic<int> document_days_{0};
};

// begin ... commit. Left without commit(), the transaction ends with its connection's return to the pool.
class Transaction {
 public:
  // cancel_fd: becomes readable to end whatever statement runs, and the transaction with it; -1: nothing does. `begin`: the
  // words.
  static Expected<Transaction> begin(Pool& pool, int cancel_fd = -1, const char* begin = "begin") {
    PGA_TRY(auto connection, pool.take(cancel_fd));
    PGA_CHECK(connection->execute(begin, call_deadline(cancel_fd)));
    return Transaction(pool, std::move(connection), cancel_fd);
  }
  Expected<postgres::Rows> ask(const char* sql, const Parameters& parameters) {
    return ask(sql, parameters, call_deadline(cancel_fd_));
  }
  Expected<postgres::Rows> ask(const char* sql, const Parameters& parameters, const postgres::Deadline& deadline) {
    PGA_CHECK(check_parameters(parameters));
    return watched(*statements_, sql, [&] { return connection_->query(sql, parameters, deadline); });
  }
  Expected<std::int64_t> copy(const char* sql, const std::vector<std::string_view>& data) {
    return watched(*statements_, sql, [&] { return connection_->copy_in(sql, data, call_deadline(cancel_fd_)); });
  }
  // A statement of every push.
  Expected<postgres::Rows> ask_often(const char* sql, const Parameters& parameters) {
    PGA_CHECK(check_parameters(parameters));
    return watched(*statements_, sql, [&] { return connection_.query_often(sql, parameters, call_deadline(cancel_fd_)); });
  }
  Outcome commit() {
    constexpr char kCommit[] = "commit";
    PGA_CHECK(watched(*statements_, kCommit, [&] { return connection_->execute(kCommit, call_deadline(cancel_fd_)); }));
    return {};
  }
  // Waits until it is over, with the locks it had. Where even that fails the connection is closed, and the server ends it in its
  // time.
  void roll_back() {
    if (connection_->usable()) static_cast<void>(connection_->execute("rollback", call_deadline(cancel_fd_)));
  }

 private:
  Transaction(Pool& pool, Pool::Lease connection, int cancel_fd)
      : statements_(&pool.statements), connection_(std::move(connection)), cancel_fd_(cancel_fd) {}
  StatementWatch* statements_;
  Pool::Lease connection_;
  int cancel_fd_;
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
