// One sealed batch: the unit of delivery, and the key that names it for ever. [any thread]
#pragma once

#include "core/compression/compression.h"

#include <cstdint>
#include <string>
#include <tuple>

namespace pganalytics::spool {

// A key belongs to its bytes: whatever carries the same key to the server is the same batch, sent again.
struct BatchKey {
  std::string epoch;      // 32 hex digits
  std::uint64_t seq = 0;  // 1, 2, 3, ... of the epoch
  std::string part;       // "": the whole batch; "0" "1": its halves; "0/1": the second half of the first half

  // The Idempotency-Key, and what the server's acknowledgement repeats: "<epoch>.<seq>" or "<epoch>.<seq>/<part>".
  [[nodiscard]] std::string text() const { return epoch + "." + std::to_string(seq) + (part.empty() ? "" : "/" + part); }
  // How often it was halved: 0 for a whole batch.
  [[nodiscard]] std::size_t depth() const { return (part.size() + 1) / 2; }
};
constexpr std::size_t kPartDepthMax = 20;

inline bool operator==(const BatchKey& a, const BatchKey& b) { return a.seq == b.seq && a.part == b.part && a.epoch == b.epoch; }
inline bool operator!=(const BatchKey& a, const BatchKey& b) { return !(a == b); }
inline bool operator<(const BatchKey& a, const BatchKey& b) {
  return std::tie(a.epoch, a.seq, a.part) < std::tie(b.epoch, b.seq, b.part);
}

// One run that emitted something = one batch = one push; after a 413 its halves are.
struct Batch {
  BatchKey key;
  std::string plugin;
  std::uint32_t documents = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0;  // timestamps it covers
  compression::Encoding encoding = compression::Encoding::kZstd;
  std::string body;  // the whole push envelope, compressed once; re-sent byte for byte
};

}  // namespace pganalytics::spool
