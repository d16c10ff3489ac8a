// What a file's content was when its cursor was set: tells a file that grew from one that was replaced, truncated or copied.
#pragma once

#include "plugins/logs/follow/file_access.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::logs {

std::uint64_t hash_bytes(std::string_view bytes);  // FNV-1a

inline constexpr std::uint64_t kSampleBytes = 1024;
// So many that another file does not begin with them by accident: a log line has its time and its text in so much.
inline constexpr std::uint64_t kTellingBytes = 32;

struct Fingerprint {
  std::uint64_t head_bytes = 0;  // at most kSampleBytes
  std::uint64_t head = 0;        // of the first head_bytes bytes
  std::uint64_t tail = 0;        // of the last kSampleBytes before the cursor's offset

  [[nodiscard]] bool tells_files_apart() const { return head_bytes >= kTellingBytes; }
};

// Of a file of `size` bytes whose cursor stands at `offset`.
Expected<Fingerprint> take_fingerprint(const ReadableFile& file, std::uint64_t size, std::uint64_t offset);

// Does the file begin with the same bytes, and are those before `offset` the same?
Expected<bool> matches(const Fingerprint& fingerprint, const ReadableFile& file, std::uint64_t offset);

}  // namespace pganalytics::logs
