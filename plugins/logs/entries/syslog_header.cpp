#include "plugins/logs/entries/syslog_header.h"

#include "plugins/logs/entries/log_time.h"

#include <algorithm>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kDay_s = 86'400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Cuts what is before the next space off, and the space; empty if there is no space.
std::string_view word(std::string_view& text) {
  const std::size_t end = text.find(' ');
  if (end == std::string_view::npos) return {};
  const std::string_view found = text.substr(0, end);
  text.remove_prefix(end + 1);
  return found;
}

bool skip_priority(std::string_view& text) {
  if (text.empty() || text[0] != '<') return false;
  const std::size_t end = text.substr(0, 5).find('>');
  if (end == std::string_view::npos || end < 2 ||
      !std::all_of(text.begin() + 1, text.begin() + static_cast<long>(end), is_digit)) {
    return false;
  }
  text.remove_prefix(end + 1);
  return true;
}

// "04:05:06" into `time`.
bool read_clock(std::string_view text, std::tm& time) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return false;
  const auto hour = to_number<int>(text.substr(0, 2));
  const auto minute = to_number<int>(text.substr(3, 2));
  const auto second = to_number<int>(text.substr(6, 2));
  if (!hour || !minute || !second || *hour < 0 || *hour > 23 || *minute < 0 || *minute > 59 || *second < 0 || *second > 60) {
    return false;
  }
  time.tm_hour = *hour;
  time.tm_min = *minute;
  time.tm_sec = *second;
  return true;
}

std::optional<std::int64_t> with_year(const std::tm& wall, std::int64_t newest_unix_s) {
  const std::time_t limit = newest_unix_s + kDay_s;
  std::tm at{};
  if (localtime_r(&limit, &at) == nullptr) return std::nullopt;
  for (int year = at.tm_year; year > at.tm_year - 9; --year) {  // 29 February comes every fourth year, but not in 2100
    std::tm candidate = wall;
    candidate.tm_year = year;
    candidate.tm_isdst = -1;
    const std::time_t seconds = mktime(&candidate);
    if (candidate.tm_mon == wall.tm_mon && candidate.tm_mday == wall.tm_mday && seconds <= limit) return seconds * 1000;
  }
  return std::nullopt;
}

// "Feb  3 04:05:06 " cut off `text`.
std::optional<std::tm> traditional_time(std::string_view& text) {
  constexpr std::size_t kLength = 16;
  if (text.size() < kLength || text[3] != ' ' || text[6] != ' ' || text[kLength - 1] != ' ') return std::nullopt;
  const auto* const month = std::find(std::begin(kMonths), std::end(kMonths), text.substr(0, 3));
  const auto day = to_number<int>(text.substr(text[4] == ' ' ? 5 : 4, text[4] == ' ' ? 1 : 2));
  std::tm time{};
  if (month == std::end(kMonths) || !day || *day < 1 || *day > 31 || !read_clock(text.substr(7, 8), time)) return std::nullopt;
  time.tm_mon = static_cast<int>(month - std::begin(kMonths));
  time.tm_mday = *day;
  text.remove_prefix(kLength);
  return time;
}

// "2026-02-03T04:05:06.789012+01:00" (RFC 3339)
std::optional<std::int64_t> iso_time(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T') return std::nullopt;
  const auto year = to_number<int>(text.substr(0, 4));
  const auto month = to_number<int>(text.substr(5, 2));
  const auto day = to_number<int>(text.substr(8, 2));
  std::tm time{};
  if (!year || !month || !day || *year < 1970 || *year > 2261 || *month < 1 || *month > 12 || *day < 1 || *day > 31)
    return std::nullopt;
  if (!read_clock(text.substr(11, 8), time)) return std::nullopt;
  text.remove_prefix(19);
  std::int64_t ms = 0;
  if (text[0] == '.') {
    const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin() + 1, text.end(), is_digit) - text.begin()) - 1;
    for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < digits ? text[i + 1] - '0' : 0);
    text.remove_prefix(digits + 1);
  }
  std::int64_t east_s = 0;
  if (text != "Z") {  // "+01:00"
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    const auto hours = to_number<int>(text.substr(1, 2));
    const auto minutes = to_number<int>(text.substr(4, 2));
    if (!hours || !minutes || *hours < 0 || *minutes < 0) return std::nullopt;
    east_s = (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
  }
  const std::int64_t days = days_from_epoch(*year, *month, *day);
  return (days * kDay_s + time.tm_hour * 3600 + time.tm_min * 60 + time.tm_sec - east_s) * 1000 + ms;
}

// "host postgres[42]: text", "postgres[42]: text"
std::optional<SyslogHeader> after_time(std::string_view text) {
  SyslogHeader header;
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view tag = text.substr(0, colon);
  header.text = text.substr(colon + 2);
  const std::size_t space = tag.find(' ');
  if (space != std::string_view::npos) {
    header.host = tag.substr(0, space);
    tag.remove_prefix(space + 1);
  }
  if (!tag.empty() && tag.back() == ']') {
    const std::size_t bracket = tag.rfind('[');
    if (bracket == std::string_view::npos) return std::nullopt;
    header.pid = tag.substr(bracket + 1, tag.size() - bracket - 2);
    tag = tag.substr(0, bracket);
  }
  if (tag.empty() || tag.find(' ') != std::string_view::npos) return std::nullopt;
  header.ident = tag;
  return header;
}

// "host postgres 42 - - text", "- [structured data]" before the text.
std::optional<SyslogHeader> after_time_5424(std::string_view text) {
  SyslogHeader header;
  const auto value = [](std::string_view name) { return name == "-" ? std::string_view() : name; };
  header.host = value(word(text));
  header.ident = value(word(text));
  header.pid = value(word(text));
  if (word(text).empty() || text.empty()) return std::nullopt;  // the message's kind
  if (text[0] == '-') {
    text.remove_prefix(1);
  } else {
    while (!text.empty() && text[0] == '[') {
      std::size_t end = 1;
      bool quoted = false;
      for (; end < text.size() && (quoted || text[end] != ']'); ++end) {
        if (text[end] == '\\') {
          ++end;
        } else if (text[end] == '"') {
          quoted = !quoted;
        }
      }
      if (end >= text.size()) return std::nullopt;
      text.remove_prefix(end + 1);
    }
  }
  if (!text.empty() && text[0] != ' ') return std::nullopt;
  if (!text.empty()) text.remove_prefix(1);
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  header.text = text;
  return header;
}

}  // namespace

std::optional<std::int64_t> SyslogClock::unix_ms(const std::tm& wall) {
  const bool is_last = wall.tm_mday == last_wall_.tm_mday && wall.tm_mon == last_wall_.tm_mon &&
                       wall.tm_hour == last_wall_.tm_hour && wall.tm_min == last_wall_.tm_min && wall.tm_sec == last_wall_.tm_sec;
  if (!is_last) {
    last_unix_ms_ = with_year(wall, newest_unix_s_);
    last_wall_ = wall;
  }
  return last_unix_ms_;
}

std::optional<SyslogHeader> parse_syslog_header(std::string_view line, SyslogClock& clock) {
  skip_priority(line);
  std::string_view rest = line;
  if (const auto wall = traditional_time(rest)) {
    auto header = after_time(rest);
    if (header) header->unix_ms = clock.unix_ms(*wall);
    return header;
  }
  const bool is_5424 = line.substr(0, 2) == "1 ";
  if (is_5424) line.remove_prefix(2);
  const auto time = iso_time(word(line));
  if (!time) return std::nullopt;
  auto header = is_5424 ? after_time_5424(line) : after_time(line);
  if (header) header->unix_ms = time;
  return header;
}

}  // namespace pganalytics::logs
