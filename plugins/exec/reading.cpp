#include "plugins/exec/reading.h"

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::exec {

std::string clipped(std::string_view text, std::size_t bytes_max) {
  std::string whole = mend_utf8(text.substr(0, bytes_max + 4));  // mending never shortens
  if (whole.size() <= bytes_max) return whole;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(whole[end]) & 0xC0) == 0x80) --end;  // not inside a character
  whole.resize(end);
  return whole;
}

std::string quoted_beginning(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown = clipped(text, kShown);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return "'" + shown + (text.size() > kShown ? "...'" : "'");
}

}  // namespace pganalytics::exec
