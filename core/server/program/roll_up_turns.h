// Roll-ups in the program's loop: made every few seconds, at once while there is more, and what goes wrong told once. [main
// thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <string>

namespace pganalytics::server::program {

class RollUpTurns {
 public:
  // `store` outlives it.
  RollUpTurns(store::Store& store, store::RollUpRetention retention) : store_(store), retention_(retention) {}

  void turn();  // once a second

 private:
  store::Store& store_;
  const store::RollUpRetention retention_;
  std::int64_t next_at_ns_ = 0;
  std::string trouble_;
};

}  // namespace pganalytics::server::program
