// Any bytes as a shared object: whatever is read from it lies inside of it.
// links: pganalytics::validator
#include "core/validator/elf_image.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto image = pganalytics::validator::read_elf_image({reinterpret_cast<const char*>(data), size});
  if (!image) return 0;
  if (image.value().segments.size() > size || image.value().symbols.size() > size) std::abort();
  return 0;
}
