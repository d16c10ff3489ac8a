// The thread of what the database wants done now and then: old rows forgotten, documents read that came before their schema,
// points rolled up, and how much of it waits noted for /api/v1/health and /metrics.
//
// Its own thread, because a statement of it may take a minute, and a signal to the program must not wait for that: stop() ends
// the statement that runs, and what it did is rolled back and done by the next server.
#pragma once

#include "core/server/api/condition.h"
#include "core/server/ingest/known_schemas.h"
#include "core/server/program/roll_up_turns.h"
#include "core/server/store/store.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <pganalytics/expected.hpp>
#include <string>
#include <thread>

namespace pganalytics::server::program {

// What it has done since the server started. [any thread reads]
struct UpkeepCounters {
  std::atomic<std::uint64_t> documents{0}, points{0}, events{0}, partitions{0};  // forgotten
  std::atomic<std::uint64_t> unread_read{0};                                     // documents' types of a push, read late
};

class Upkeep {
 public:
  // All outlive it. PGA_E_FAIL: no file descriptor for its end.
  static Expected<std::unique_ptr<Upkeep>> start(store::Store& store, const std::string& data_dir,
                                                 store::RollUpRetention roll_ups, api::Condition& condition);
  ~Upkeep();

  void use(store::RollUpRetention roll_ups) { roll_ups_.use(roll_ups); }  // from the next round on [any thread]
  // Ends the statement that runs; returns when the thread is over, in about half a second; later by five if all connections to
  // the database are busy. Twice is once.
  void stop();
  [[nodiscard]] const UpkeepCounters& counters() const { return counters_; }

 private:
  Upkeep(store::Store& store, std::string data_dir, store::RollUpRetention roll_ups, api::Condition& condition, int cancel_fd);
  void turn_until_stopped();
  void turn();
  void expire();
  void read_unread();
  void look();
  void tell(const char* doing, const Error& error);

  store::Store& store_;
  const std::string data_dir_;
  api::Condition& condition_;
  const int cancel_fd_;
  ingest::KnownSchemas schemas_;
  RollUpTurns roll_ups_;
  UpkeepCounters counters_;
  std::int64_t expire_at_ns_ = 0, read_at_ns_ = 0, look_at_ns_ = 0;
  std::mutex mutex_;
  std::condition_variable stopped_early_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace pganalytics::server::program
