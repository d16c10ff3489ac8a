// Roll-ups made every few seconds, at once while there is more, and what goes wrong told once. [the upkeep's
// thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <mutex>
#include <string>

namespace pganalytics::server::program {

class RollUpTurns {
 public:
  // `store` outlives it.
  RollUpTurns(store::Store& store, store::RollUpRetention retention) : store_(store), retention_(retention) {}

  void turn(int cancel_fd);               // once a second; cancel_fd as in Store::roll_up
  void use(store::RollUpRetention next);  // from the next turn on [any thread]

 private:
  store::RollUpRetention retention();

  store::Store& store_;
  std::mutex mutex_;
  store::RollUpRetention retention_;  // under mutex_
  std::int64_t next_at_ns_ = 0;
  std::string trouble_;
};

}  // namespace pganalytics::server::program
