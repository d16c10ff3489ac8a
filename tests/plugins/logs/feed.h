// Text fed line by line to a source of entries, as the follower does it.
#pragma once

#include "plugins/logs/entries/entry_source.h"

#include <string_view>
#include <vector>

namespace pganalytics::logs {

// `piece_bytes`: longer lines come in pieces. A last line without its newline is fed too. Returns the end of what was fed.
inline std::uint64_t feed(EntrySource& source, std::string_view text, std::vector<Event>& events, std::uint64_t begin = 0,
                          std::size_t piece_bytes = 1 << 20) {
  bool starts_line = true;
  for (std::size_t at = 0; at < text.size();) {
    Line line;
    line.begin = begin + at;
    line.starts_line = starts_line;
    const std::size_t newline = text.find('\n', at);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline;
    const bool piece = end - at > piece_bytes;
    line.text = text.substr(at, piece ? piece_bytes : end - at);
    at += line.text.size() + (piece || newline == std::string_view::npos ? 0 : 1);
    if (!piece && newline != std::string_view::npos && !line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
    line.end = begin + at;
    starts_line = !piece;
    source.add(line, events);
  }
  return begin + text.size();
}

}  // namespace pganalytics::logs
