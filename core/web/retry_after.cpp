#include "core/web/retry_after.h"

#include "core/clock/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace pganalytics::web {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t clamped(std::int64_t ms) { return std::clamp(ms, kRetryAfterMinMs, kRetryAfterMaxMs); }

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  // Sun, 06 Nov 1994 08:49:37 GMT: every part has its place.
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      text.substr(25) != " GMT")
    return std::nullopt;
  if (std::find(kDays.begin(), kDays.end(), text.substr(0, 3)) == kDays.end()) return std::nullopt;
  const auto* month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  if (month == kMonths.end()) return std::nullopt;
  const std::string number = std::to_string(month - kMonths.begin() + 1);

  std::string rfc3339(text.substr(12, 4));
  rfc3339 += number.size() == 1 ? "-0" : "-";
  rfc3339 += number;
  rfc3339 += '-';
  rfc3339 += text.substr(5, 2);
  rfc3339 += 'T';
  rfc3339 += text.substr(17, 8);
  rfc3339 += 'Z';
  return clock::parse_rfc3339(rfc3339);
}

std::int64_t parse_retry_after_ms(std::string_view retry_after, std::string_view date, std::int64_t now_unix_ns) {
  if (is_digits(retry_after)) {
    std::int64_t seconds = 0;
    const auto [end, code] = std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), seconds);
    const bool huge = code != std::errc{} || seconds > kRetryAfterMaxMs / 1000;
    return huge ? kRetryAfterMaxMs : clamped(seconds * 1000);
  }
  const auto until = parse_http_date(retry_after);
  if (!until) return 0;
  const std::int64_t from = parse_http_date(date).value_or(now_unix_ns);
  if (*until <= from) return kRetryAfterMinMs;
  // The difference of two 64-bit times of different signs may not fit; half of each does.
  const std::int64_t half_ms = *until / 2'000'000 - from / 2'000'000;
  return half_ms > kRetryAfterMaxMs ? kRetryAfterMaxMs : clamped(half_ms * 2);
}

}  // namespace pganalytics::web
