#include "core/server/program/roll_up_turns.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kIntervalNs = 10'000'000'000;

}  // namespace

void RollUpTurns::turn() {
  if (clock::now_monotonic_ns() < next_at_ns_) return;
  const auto done = store_.roll_up(retention_);
  if (done && !done.value().dropped_partition.empty())
    log::info("dropped " + done.value().dropped_partition + ": its roll-ups are old");
  const std::string trouble = done ? "" : done.error().message;
  if (!done && trouble != trouble_) log::write(log::Level::kWarn, "rolling up points", done.error());
  trouble_ = trouble;
  if (done && done.value().more) return;
  next_at_ns_ = clock::now_monotonic_ns() + kIntervalNs;
}

}  // namespace pganalytics::server::program
