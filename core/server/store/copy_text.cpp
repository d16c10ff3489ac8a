#include "core/server/store/copy_text.h"

#include "core/clock/clock.h"

#include <cstdio>

namespace pganalytics::server::store {

CopyText& CopyText::field(std::string_view value) {
  if (!first_) text_ += '\t';
  first_ = false;
  for (const char c : value) {
    switch (c) {
      case '\\': text_ += "\\\\"; break;
      case '\n': text_ += "\\n"; break;
      case '\r': text_ += "\\r"; break;
      case '\t': text_ += "\\t"; break;
      default: text_ += c;
    }
  }
  return *this;
}

void CopyText::end_row() {
  text_ += '\n';
  first_ = true;
}

std::string timestamp_text(std::int64_t unix_ns) {
  std::string text = clock::format_rfc3339(unix_ns);  // ".789Z"
  std::int64_t microseconds = unix_ns / 1'000 % 1'000;
  if (microseconds < 0) microseconds += 1'000;
  char rest[8];
  std::snprintf(rest, sizeof rest, "%03dZ", static_cast<int>(microseconds));
  text.replace(text.size() - 1, 1, rest);
  return text;
}

}  // namespace pganalytics::server::store
