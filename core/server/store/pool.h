// Connections to the server's database, shared by its threads.
//
// A lease has a connection to itself; giving it back broken or inside a transaction closes it, and the next lease opens another.
// Waiting for a free one is bounded. Thread-safe.
#pragma once

#include "core/postgres/connection.h"
#include "core/server/store/statement_watch.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::store {

// How long one call of the store may take in all. cancel_fd: becomes readable to end the wait before (postgres::Deadline).
postgres::Deadline call_deadline(int cancel_fd = -1);

class Pool {
 public:
  // `prepared`: the database keeps prepared statements of a connection.
  Pool(std::string conninfo, unsigned connections, bool prepared)
      : conninfo_(std::move(conninfo)), prepared_(prepared), connections_(connections), free_slots_(connections) {}

  class Lease {
   public:
    Lease(Pool& pool, postgres::Connection connection) : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->give_back(std::move(connection_));
    }
    postgres::Connection* operator->() { return &connection_; }
    // Prepared, where the database lets us.
    Expected<postgres::Rows> query_often(const char* sql, const std::vector<std::optional<std::string>>& parameters,
                                         const postgres::Deadline& deadline) {
      return pool_->prepared_ ? connection_.query_prepared(sql, parameters, deadline)
                              : connection_.query(sql, parameters, deadline);
    }

   private:
    Pool* pool_;
    postgres::Connection connection_;
  };

  // PGA_E_TRANSIENT: the database is away, or all connections stay busy.
  Expected<Lease> take(int cancel_fd = -1);

  // One beside those that are leased, for whoever needs a session of its own.
  Expected<postgres::Connection> connect(int cancel_fd) const;

  struct Load {
    unsigned connections = 0, in_use = 0, waiting = 0;
  };
  [[nodiscard]] Load load() const;

  StatementWatch statements;  // told of each statement by who makes it

 private:
  void give_back(postgres::Connection connection);

  const std::string conninfo_;
  const bool prepared_;
  const unsigned connections_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  unsigned free_slots_;                     // connections that may be taken or opened
  unsigned waiting_ = 0;                    // for one of them
  std::vector<postgres::Connection> idle_;  // open ones among them, the warmest last
};

}  // namespace pganalytics::server::store
