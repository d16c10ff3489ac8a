#include "plugins/logs/entries/log_time.h"

#include <algorithm>
#include <ctime>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

// What the nanoseconds of a document's timestamp can tell: from 1677 to 2262.
constexpr std::int64_t kSecondsMax = 9'223'372'035;
constexpr std::size_t kSecondsLength = 19;  // "2026-02-03 04:05:06"
constexpr std::int64_t kDayMinutes = 24 * 60;

// A date and a time of day, by a clock that is yet to be named.
struct WallTime {
  std::int64_t minutes = 0;  // since 1970-01-01 00:00 of that clock
  int second = 0;
  int ms = 0;
};

// `count` digits, which the caller has found to be such.
int number_at(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) number = number * 10 + (text[i] - '0');
  return number;
}

// Every character of `shape`, where 'd' is any digit.
bool begins_like(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return false;
  }
  return true;
}

// Cuts what is before the zone off `text`, and the space before that.
std::optional<WallTime> take_wall_time(std::string_view& text) {
  if (!begins_like(text, "dddd-dd-dd dd:dd:dd")) return std::nullopt;
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  WallTime wall;
  wall.second = number_at(text, 17, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || wall.second > 60)
    return std::nullopt;
  wall.minutes = days_from_epoch(year, month, day) * kDayMinutes + hour * 60 + minute;
  text.remove_prefix(kSecondsLength);
  if (begins_like(text, ".ddd")) {
    wall.ms = number_at(text, 1, 3);
    text.remove_prefix(4);
  }
  if (text.size() < 2 || text.front() != ' ') return std::nullopt;
  text.remove_prefix(1);
  return wall;
}

// Seconds east of Greenwich of "+02", "-0330", "+023015".
std::optional<std::int64_t> numeric_zone(std::string_view zone) {
  if (zone.size() < 3) return std::nullopt;
  const std::int64_t sign = zone[0] == '-' ? -1 : 1;
  std::int64_t seconds = 0;
  std::int64_t unit = 3600;
  for (zone.remove_prefix(1); !zone.empty(); zone.remove_prefix(2), unit /= 60) {
    if (zone.size() < 2 || unit == 0) return std::nullopt;
    const auto part = to_number<std::int64_t>(zone.substr(0, 2));
    if (!part || *part < 0) return std::nullopt;
    seconds += *part * unit;
  }
  return sign * seconds;
}

std::optional<std::int64_t> east_by_mktime(std::int64_t wall_minutes, std::string_view zone) {
  const std::time_t as_if_utc = wall_minutes * 60;
  std::tm wall{};
  if (gmtime_r(&as_if_utc, &wall) == nullptr) return std::nullopt;
  for (const int daylight : {0, 1}) {
    std::tm candidate = wall;
    candidate.tm_isdst = daylight;
    const std::time_t seconds = mktime(&candidate);
    const bool same_wall =
        candidate.tm_hour == wall.tm_hour && candidate.tm_min == wall.tm_min && candidate.tm_mday == wall.tm_mday;
    if (seconds != -1 && same_wall && candidate.tm_zone != nullptr && zone == candidate.tm_zone) return as_if_utc - seconds;
  }
  return std::nullopt;
}

std::optional<std::int64_t> east_of(const WallTime& wall, std::string_view zone, HostZoneMemory& host_zone) {
  if (zone == "UTC" || zone == "GMT" || zone == "Z") return 0;
  if (zone[0] == '+' || zone[0] == '-') return numeric_zone(zone);
  return host_zone.east_s(wall.minutes, zone);
}

}  // namespace

// Years begin in March, so that the odd day is their last.
std::int64_t days_from_epoch(int year, int month, int day) {
  constexpr std::int64_t kDaysToEpoch = 719'468;  // from 0000-03-01
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t days_before_month = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
  return y * 365 + y / 4 - y / 100 + y / 400 + days_before_month + (day - 1) - kDaysToEpoch;
}

std::optional<std::int64_t> HostZoneMemory::east_s(std::int64_t wall_minutes, std::string_view zone) {
  Minute& minute = minutes_[static_cast<std::uint64_t>(wall_minutes) % kMinutes];
  if (zone.empty() || zone.size() > minute.zone.size()) return east_by_mktime(wall_minutes, zone);
  const std::string_view remembered(minute.zone.data(), minute.zone_length);
  if (minute.wall_minutes != wall_minutes || remembered != zone) {
    const auto east = east_by_mktime(wall_minutes, zone);
    minute.wall_minutes = wall_minutes;
    std::copy(zone.begin(), zone.end(), minute.zone.begin());
    minute.zone_length = static_cast<unsigned char>(zone.size());
    minute.known = east.has_value();
    minute.east_s = east.value_or(0);
  }
  return minute.known ? std::optional(minute.east_s) : std::nullopt;
}

std::optional<std::int64_t> parse_log_time(std::string_view text, HostZoneMemory& host_zone) {
  const auto wall = take_wall_time(text);
  if (!wall) return std::nullopt;
  const auto east_s = east_of(*wall, text, host_zone);
  if (!east_s) return std::nullopt;
  const std::int64_t seconds = wall->minutes * 60 + wall->second - *east_s;
  if (seconds < -kSecondsMax || seconds > kSecondsMax) return std::nullopt;
  return seconds * 1000 + wall->ms;
}

std::optional<std::int64_t> parse_log_time(std::string_view text) {
  HostZoneMemory host_zone;
  return parse_log_time(text, host_zone);
}

std::optional<std::int64_t> parse_log_epoch(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || text.size() != dot + 4) return std::nullopt;
  const auto seconds = to_number<std::int64_t>(text.substr(0, dot));
  const auto ms = to_number<std::int64_t>(text.substr(dot + 1));
  if (!seconds || !ms || *seconds < 0 || *seconds > kSecondsMax || *ms < 0) return std::nullopt;
  return *seconds * 1000 + *ms;
}

}  // namespace pganalytics::logs
