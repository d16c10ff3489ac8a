#include "core/server/program/roll_up_turns.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kIntervalNs = 10'000'000'000;

}  // namespace

void RollUpTurns::use(store::RollUpRetention next) {
  const std::lock_guard lock(mutex_);
  retention_ = next;
}

store::RollUpRetention RollUpTurns::retention() {
  const std::lock_guard lock(mutex_);
  return retention_;
}

void RollUpTurns::turn(int cancel_fd) {
  if (clock::now_monotonic_ns() < next_at_ns_) return;
  const auto done = store_.roll_up(retention(), cancel_fd);
  if (done && !done.value().dropped_partition.empty())
    log::info("dropped " + done.value().dropped_partition + ": its roll-ups are old");
  const std::string trouble = done ? "" : done.error().message;
  if (!done && done.error().code == "pg.cancelled") return;  // the program stops
  if (!done && trouble != trouble_) log::write(log::Level::kWarn, "rolling up points", done.error());
  trouble_ = trouble;
  if (done && done.value().more) return;
  next_at_ns_ = clock::now_monotonic_ns() + kIntervalNs;
}

}  // namespace pganalytics::server::program
