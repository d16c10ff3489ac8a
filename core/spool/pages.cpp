#include "core/spool/pages.h"

#include <algorithm>

namespace pganalytics::spool {

Pages::Pages(const FileBytes& database, const FileBytes& log, const Wal& wal, std::size_t frames)
    : database_(database), log_(log) {
  constexpr std::uint64_t kPagesMax = 0xFFFFFFFE;  // SQLite's own limit
  count_ = static_cast<std::uint32_t>(std::min(kPagesMax, (database.size() + kPageBytes - 1) / kPageBytes));
  written_ = database.data_bytes() / kPageBytes + frames;
  for (std::size_t i = 0; i < std::min(frames, wal.frames.size()); ++i) {
    const WalFrame& frame = wal.frames[i];
    newest_[frame.page] = frame;
    if (frame.whole) count_ = frame.database_pages != 0 ? frame.database_pages : std::max(count_, frame.page);
  }
}

std::uint32_t Pages::next(std::uint32_t number) const {
  if (number == 0 || number > count_) return 0;
  const std::uint64_t at = (std::uint64_t{number} - 1) * kPageBytes;
  if (at < extent_.begin || at >= extent_.end) extent_ = database_.data_from(at);
  std::uint64_t found = std::max<std::uint64_t>(number, extent_.begin / kPageBytes + 1);
  if (const auto frame = newest_.lower_bound(number); frame != newest_.end())
    found = std::min<std::uint64_t>(found, frame->first);
  return found <= count_ ? static_cast<std::uint32_t>(found) : 0;
}

bool Pages::read(std::uint32_t number, std::string& page) const {
  if (number == 0 || number > count_) return false;
  if (const auto frame = newest_.find(number); frame != newest_.end()) {
    return frame->second.whole && log_.read(frame->second.at, kPageBytes, page);
  }
  return database_.read((std::uint64_t{number} - 1) * kPageBytes, kPageBytes, page);
}

}  // namespace pganalytics::spool
