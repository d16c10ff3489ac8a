// Reads a file from an offset, line by line, without ever holding more than one long line.
#pragma once

#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/line.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::logs {

inline constexpr std::size_t kMaxLineBytes = 1 << 20;  // a longer line comes in pieces of this size

// One thread. Borrows the file.
class LineReader {
 public:
  LineReader(const ReadableFile& file, std::uint64_t offset) : file_(&file), buffer_offset_(offset) {}

  // The next line that has its newline, or a piece of an overlong one; nullopt: there is none (yet).
  Expected<std::optional<Line>> next();

  // What is behind the last newline. Only after next() returned nullopt.
  [[nodiscard]] bool has_rest() const { return at_ < buffer_.size(); }
  Line rest();

  // What is read from now on comes from this file, which has the same bytes up to end().
  void continue_in(const ReadableFile& file) { file_ = &file; }

  // Up to here the file was read; its end, after next() returned nullopt.
  [[nodiscard]] std::uint64_t end() const { return buffer_offset_ + buffer_.size(); }

  // Offset of the next line.
  [[nodiscard]] std::uint64_t offset() const { return buffer_offset_ + at_; }

 private:
  Expected<bool> fill();  // false: end of file
  Line take(std::size_t length, std::size_t with_newline);

  const ReadableFile* file_;
  std::uint64_t buffer_offset_;
  std::string buffer_;
  std::size_t at_ = 0;        // first byte not handed out
  std::size_t searched_ = 0;  // up to here there is no newline after at_
  bool mid_line_ = false;     // a piece of this line was handed out
};

}  // namespace pganalytics::logs
