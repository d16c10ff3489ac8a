#include "plugins/logs/entries/log_time.h"

#include <ctime>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

// What the nanoseconds of a document's timestamp can tell: from 1677 to 2262.
constexpr std::int64_t kSecondsMax = 9'223'372'035;

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

// The abbreviation settles which of the two is meant in the hour that comes twice.
std::optional<std::int64_t> in_host_zone(const std::tm& wall, std::string_view zone) {
  for (const int daylight : {0, 1}) {
    std::tm candidate = wall;
    candidate.tm_isdst = daylight;
    const std::time_t seconds = mktime(&candidate);
    const bool same_wall =
        candidate.tm_hour == wall.tm_hour && candidate.tm_min == wall.tm_min && candidate.tm_mday == wall.tm_mday;
    if (seconds != -1 && same_wall && candidate.tm_zone != nullptr && zone == candidate.tm_zone) return seconds;
  }
  return std::nullopt;
}

std::optional<std::int64_t> in_zone(const std::tm& wall, std::string_view zone) {
  std::tm utc = wall;
  if (zone == "UTC" || zone == "GMT" || zone == "Z") return timegm(&utc);
  if (!zone.empty() && (zone[0] == '+' || zone[0] == '-')) {
    const auto east = numeric_zone(zone);
    if (!east) return std::nullopt;
    return timegm(&utc) - *east;
  }
  return in_host_zone(wall, zone);
}

}  // namespace

std::optional<std::int64_t> parse_log_time(std::string_view text) {
  constexpr std::size_t kSecondsLength = 19;  // "2026-02-03 04:05:06"
  if (text.size() < kSecondsLength + 2) return std::nullopt;
  const auto year = to_number<std::int64_t>(text.substr(0, 4));
  const auto month = to_number<std::int64_t>(text.substr(5, 2));
  const auto day = to_number<std::int64_t>(text.substr(8, 2));
  const auto hour = to_number<std::int64_t>(text.substr(11, 2));
  const auto minute = to_number<std::int64_t>(text.substr(14, 2));
  const auto second = to_number<std::int64_t>(text.substr(17, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;

  std::string_view rest = text.substr(kSecondsLength);
  std::int64_t ms = 0;
  if (rest[0] == '.') {
    const auto fraction = rest.size() < 5 ? std::nullopt : to_number<std::int64_t>(rest.substr(1, 3));
    if (!fraction || *fraction < 0) return std::nullopt;
    ms = *fraction;
    rest.remove_prefix(4);
  }
  if (rest.size() < 2 || rest[0] != ' ') return std::nullopt;

  std::tm wall{};
  wall.tm_year = static_cast<int>(*year) - 1900;
  wall.tm_mon = static_cast<int>(*month) - 1;
  wall.tm_mday = static_cast<int>(*day);
  wall.tm_hour = static_cast<int>(*hour);
  wall.tm_min = static_cast<int>(*minute);
  wall.tm_sec = static_cast<int>(*second);
  const auto seconds = in_zone(wall, rest.substr(1));
  if (!seconds || *seconds < -kSecondsMax || *seconds > kSecondsMax) return std::nullopt;
  return *seconds * 1000 + ms;
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
