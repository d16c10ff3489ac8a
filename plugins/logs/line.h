// One line of a log file, as the follower hands it to a format's parser.
#pragma once

#include <cstdint>
#include <string_view>

namespace pganalytics::logs {

// An overlong line comes in pieces: the first starts the line, the last ends it.
struct Line {
  std::string_view text;  // without its newline; valid until the next line is read
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // offset of the first byte after it, newline included
  bool starts_line = true;
};

}  // namespace pganalytics::logs
