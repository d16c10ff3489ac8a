#include "core/server/store/pool.h"

#include "core/clock/clock.h"
#include "store_embedded.h"

#include <utility>

namespace pganalytics::server::store {
namespace {

constexpr std::int64_t kCallNs = 15'000'000'000;  // above statement_timeout, so that the server's own words come first
constexpr auto kBusyPatience = std::chrono::seconds(10);
constexpr char kOptions[] =
    "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s -c "
    "search_path=pganalytics,pg_catalog "
    "-c timezone=UTC -c synchronous_commit=on -c jit=off";

}  // namespace

postgres::Deadline call_deadline(int cancel_fd) { return {clock::now_monotonic_ns() + kCallNs, cancel_fd}; }

Expected<Pool::Lease> Pool::take(int cancel_fd) {
  std::unique_lock<std::mutex> lock(mutex_);
  ++waiting_;
  const bool is_free = freed_.wait_for(lock, kBusyPatience, [&] { return free_slots_ > 0; });
  --waiting_;
  if (!is_free) {
    return Error{PGA_E_TRANSIENT, "store.busy", "all connections to the database are busy", "Raise [database] connections.", 0};
  }
  --free_slots_;
  if (!idle_.empty()) {
    postgres::Connection connection = std::move(idle_.back());
    idle_.pop_back();
    return Lease(*this, std::move(connection));
  }
  lock.unlock();
  auto connection = connect(cancel_fd);
  if (connection) return Lease(*this, std::move(connection).value());
  lock.lock();
  ++free_slots_;
  freed_.notify_one();
  // Whatever keeps us from the database, for the server's clients it is a matter of time.
  Error error = std::move(connection).error();
  error.status = PGA_E_TRANSIENT;
  return error;
}

Expected<postgres::Connection> Pool::connect(int cancel_fd) const {
  const auto deadline = call_deadline(cancel_fd);
  PGA_TRY(auto connection, postgres::Connection::open(conninfo_,
                                                      {{"application_name", "pganalytics-server"},
                                                       {"client_encoding", "UTF8"},
                                                       {"connect_timeout", "5"},
                                                       {"options", kOptions}},
                                                      deadline));
  PGA_CHECK(connection.execute(embedded::session_compression_sql, deadline));
  return connection;
}

Pool::Load Pool::load() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {connections_, connections_ - free_slots_, waiting_};
}

void Pool::give_back(postgres::Connection connection) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // One broken connection usually means that the database went away: the idle ones are no better.
  if (!connection.usable()) {
    idle_.clear();
  } else if (!connection.in_transaction()) {
    idle_.push_back(std::move(connection));
  }
  ++free_slots_;
  freed_.notify_one();
}

}  // namespace pganalytics::server::store
