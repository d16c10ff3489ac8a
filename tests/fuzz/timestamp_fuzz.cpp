// A time as a document or an answer says it: refused, or a moment that reads the same when it is written again.
// links: pganalytics::clock
#include "core/clock/clock.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto time = clock::parse_rfc3339({reinterpret_cast<const char*>(data), size});
  if (!time) return 0;
  constexpr std::int64_t kMs = 1'000'000;
  const auto again = clock::parse_rfc3339(clock::format_rfc3339(*time));
  if (!again || *again / kMs != *time / kMs) {
    // Before 1970 a part of a millisecond rounds the other way.
    if (!again || *time - *again >= kMs || *again - *time >= kMs) std::abort();
  }
  return 0;
}
