// The spool's witness on any bytes: silent, or figures within bounds. An input whose first byte is odd gets a checksum that fits,
// as chance would never give it one.
// links: pganalytics::spool
#include "core/spool/record.h"
#include "core/spool/witness.h"
#include "tests/fuzz/input_file.h"

#include <cstdint>
#include <string>

using namespace pganalytics;

namespace {

std::string number(std::uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  if (size == 0) return 0;
  std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) input = number(static_cast<std::uint64_t>(spool::crc32_of(input))) + number(input.size()) + input;
  folder.write("spool.tally", input);
  const auto witness = spool::Witness::open(folder.path());
  if (!witness) std::abort();
  if (!witness.value().said()) return 0;
  const spool::Testimony& said = *witness.value().said();
  if (said.epochs.size() > 24 || said.states.size() > 64 || said.tried.size() > 16) std::abort();
  for (const auto& epoch : said.epochs) {
    // The lowest number that waits is one of those that are there; 0 where a file says so.
    const std::uint64_t first = epoch.waiting.first();
    if (first != 0 && !epoch.waiting.has(first, "") && epoch.waiting.parts.empty() &&
        epoch.waiting.runs.begin()->second >= first) {
      std::abort();
    }
  }
  return 0;
}
