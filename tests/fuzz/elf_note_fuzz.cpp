// Any bytes as a plugin's file: whatever is read from it is well-formed.
// links: pganalytics::host
#include "core/host/elf_note.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto facts = pganalytics::host::read_elf_facts({reinterpret_cast<const char*>(data), size});
  if (!facts) return 0;
  if (!pganalytics::host::is_plugin_id(facts->id)) std::abort();
  if (facts->build_id.size() > 2 * size || facts->build_id.find_first_not_of("0123456789abcdef") != std::string::npos)
    std::abort();
  return 0;
}
