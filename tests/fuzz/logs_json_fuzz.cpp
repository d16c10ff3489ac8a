// Bytes of any kind as jsonlog. The promise: no crash, the cursor never leaves the text, each entry once over runs that are
// broken off anywhere, every event is valid JSON within its bound.
// links: logs_objects
#include "plugins/logs/entries/json_entries.h"
#include "tests/fuzz/logs_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::logs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t seed = size;
  for (const char c : text) seed = seed * 31 + static_cast<unsigned char>(c);
  require_exactly_once<JsonEntries>(text, seed);
  return 0;
}
