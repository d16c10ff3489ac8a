// Stored state of any kind: read, or refused; what is read is written back to the same.
// links: logs_objects
#include "plugins/logs/follow/cursor.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::logs;
  const auto state = parse_state({reinterpret_cast<const char*>(data), size});
  if (!state) return 0;
  const std::string once = state_json(state.value());
  const auto again = parse_state(once);
  if (!again || state_json(again.value()) != once) std::abort();
  return 0;
}
