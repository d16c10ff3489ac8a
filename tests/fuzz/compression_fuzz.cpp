// Bodies squeezed by a stranger. The first byte chooses the encoding and how much may come out: never more than that does.
// What we squeeze ourselves comes out as it went in, and is refused with anything behind it or with its end cut off.
// links: pganalytics::compression
#include "core/compression/compression.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics;
using compression::Encoding;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Encoding encoding = data[0] % 2 == 0 ? Encoding::kGzip : Encoding::kZstd;
  const std::size_t max = std::size_t{1} << (data[0] / 2 % 22);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto expanded = compression::expand(encoding, bytes, max)) require(expanded.value().size() <= max);

  const auto squeezed = compression::compress(encoding, bytes);
  require(static_cast<bool>(squeezed));
  const auto back = compression::expand(encoding, squeezed.value(), bytes.size());
  require(back && back.value() == bytes);
  if (!bytes.empty()) require(!compression::expand(encoding, squeezed.value(), bytes.size() - 1));
  require(!compression::expand(encoding, squeezed.value() + "x", bytes.size() + 16));
  require(
      !compression::expand(encoding, std::string_view(squeezed.value()).substr(0, squeezed.value().size() - 1), bytes.size()));
  return 0;
}
