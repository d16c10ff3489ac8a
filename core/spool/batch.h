// One sealed batch: the unit of delivery. One run that emitted something = one batch = one seq = one push.
#pragma once

#include "core/compression/compression.h"

#include <cstdint>
#include <string>

namespace pganalytics::spool {

struct Batch {
  std::string epoch;      // 32 hex digits, made with the spool
  std::uint64_t seq = 0;  // 1, 2, 3, ... without holes
  std::string plugin;
  std::uint32_t documents = 0;
  std::int64_t first_unix_ns = 0, last_unix_ns = 0;  // timestamps it covers
  compression::Encoding encoding = compression::Encoding::kZstd;
  std::string body;  // the whole push envelope, compressed once; re-sent byte for byte
};

}  // namespace pganalytics::spool
