// The record of a quarantine as it lies in the spool: refused, or in force for no longer than one ever is, and written again
// as one that says the same.
// links: pganalytics::host
#include "core/clock/clock.h"
#include "core/host/quarantine.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics;

namespace {

class StillClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return 1'770'091'445'000'000'000; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return 5'000'000'000; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t kDayNs = 24LL * 3600 * 1'000'000'000;
  static const StillClock clock;
  host::Quarantine quarantine(clock, "0123abcd");
  if (!quarantine.recall({reinterpret_cast<const char*>(data), size})) {
    if (quarantine.in_force()) std::abort();
    return 0;
  }
  if (quarantine.in_force() && quarantine.until_monotonic_ns() - clock.monotonic_ns() > kDayNs) std::abort();
  const auto record = quarantine.record();
  if (!record) return 0;
  host::Quarantine again(clock, "0123abcd");
  if (!again.recall(*record) || again.record() != record || again.in_force() != quarantine.in_force()) std::abort();
  for (int fault = 0; fault < 20; ++fault) again.fault();
  again.release();
  return 0;
}
