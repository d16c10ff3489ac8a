// Any bytes as a line over the control socket, in both directions: what is taken says the same again.
// links: pganalytics::collector
#include "core/collector/control_protocol.h"

#include <cstdint>
#include <cstdlib>

using namespace pganalytics::collector;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (const auto request = parse_request(line)) {
    const auto again = parse_request(to_line(*request));
    if (!again || again->command != request->command || again->plugin != request->plugin) std::abort();
  }
  const auto answer = parse_answer(line);
  if (!answer && answer.error().status >= 0) std::abort();
  return 0;
}
