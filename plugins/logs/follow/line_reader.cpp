#include "plugins/logs/follow/line_reader.h"

#include <algorithm>

namespace pganalytics::logs {
namespace {
constexpr std::size_t kChunkBytes = 256 * 1024;
}

Expected<std::optional<Line>> LineReader::next() {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', std::max(searched_, at_));
    if (newline != std::string::npos && newline - at_ <= kMaxLineBytes) {
      const Line line = take(newline - at_, newline - at_ + 1);
      mid_line_ = false;
      return std::optional<Line>(line);
    }
    if (buffer_.size() - at_ > kMaxLineBytes) {
      const Line piece = take(kMaxLineBytes, kMaxLineBytes);
      mid_line_ = true;
      return std::optional<Line>(piece);
    }
    searched_ = buffer_.size();
    PGA_TRY(const bool more, fill());
    if (!more) return std::optional<Line>();
  }
}

Line LineReader::rest() {
  const std::size_t length = buffer_.size() - at_;
  return take(length, length);
}

Line LineReader::take(std::size_t length, std::size_t with_newline) {
  Line line;
  line.text = std::string_view(buffer_).substr(at_, length);
  line.begin = offset();
  line.end = line.begin + with_newline;
  line.starts_line = !mid_line_;
  if (with_newline > length && !line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  at_ += with_newline;
  searched_ = at_;
  return line;
}

Expected<bool> LineReader::fill() {
  buffer_.erase(0, at_);
  buffer_offset_ += at_;
  searched_ -= at_;
  at_ = 0;
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kChunkBytes);
  const auto got = file_->read(buffer_offset_ + kept, buffer_.data() + kept, kChunkBytes);
  buffer_.resize(kept + (got ? got.value() : 0));
  if (!got) return got.error();
  return got.value() > 0;
}

}  // namespace pganalytics::logs
