#include "plugins/logs/follow/fingerprint.h"

#include <algorithm>
#include <string>

namespace pganalytics::logs {

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

Expected<Fingerprint> take_fingerprint(const ReadableFile& file, std::uint64_t size, std::uint64_t offset) {
  PGA_TRY(const std::string head, read_bytes(file, 0, std::min(size, kSampleBytes)));
  const std::uint64_t tail_bytes = std::min(offset, kSampleBytes);
  PGA_TRY(const std::string tail, read_bytes(file, offset - tail_bytes, tail_bytes));
  return Fingerprint{head.size(), hash_bytes(head), hash_bytes(tail)};
}

Expected<bool> matches(const Fingerprint& fingerprint, const ReadableFile& file, std::uint64_t offset) {
  PGA_TRY(const Fingerprint now, take_fingerprint(file, fingerprint.head_bytes, offset));
  return now.head_bytes == fingerprint.head_bytes && now.head == fingerprint.head && now.tail == fingerprint.tail;
}

}  // namespace pganalytics::logs
