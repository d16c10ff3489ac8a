// A file that ends within an entry, and after it the bytes of its successor that belong to that entry, read as one. Borrows both.
#pragma once

#include "plugins/logs/follow/file_access.h"

#include <algorithm>
#include <string_view>

namespace pganalytics::logs {

class JoinedFile : public ReadableFile {
 public:
  // `more` in place of what `first` has from `end` on.
  JoinedFile(const ReadableFile& first, std::uint64_t end, std::string_view more)
      : ReadableFile(first.facts()), first_(first), end_(end), more_(more) {}

  [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
    if (offset < end_) return first_.read(offset, to, std::min<std::uint64_t>(length, end_ - offset));
    return more_.copy(to, length, std::min<std::uint64_t>(offset - end_, more_.size()));
  }

 private:
  const ReadableFile& first_;
  const std::uint64_t end_;
  const std::string_view more_;
};

}  // namespace pganalytics::logs
