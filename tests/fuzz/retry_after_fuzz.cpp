// Retry-After and Date: two header values in one input, parted by a newline. The wait is nothing or 1 s to 1 h.
// links: pganalytics::web
#include "core/web/retry_after.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics::web;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t newline = text.find('\n');
  const std::string_view date = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
  for (const std::int64_t now : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
    const std::int64_t wait_ms = parse_retry_after_ms(text.substr(0, newline), date, now);
    if (wait_ms != 0 && (wait_ms < kRetryAfterMinMs || wait_ms > kRetryAfterMaxMs)) std::abort();
  }
  return 0;
}
