// The checksum over the columns of a row, so that a row is served only as it was written.
//
// SQLite's own checks see a page's structure, not its content: a flipped bit in a number or a text goes unnoticed. Private to
// core/spool. [any thread]
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::spool {

// Add every column in the order of its table; a text counts with its length, so that no two rows are the same bytes.
class RecordCrc {
 public:
  RecordCrc& add(std::int64_t value);
  RecordCrc& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
  RecordCrc& add(std::string_view text);
  [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(crc_); }

 private:
  unsigned long crc_ = 0;
};

// error.code "spool.corrupt": a checksum says that `what` is not as it was written.
Error damaged(const std::string& what);

// Of a body.
std::int64_t crc32_of(std::string_view bytes);

}  // namespace pganalytics::spool
