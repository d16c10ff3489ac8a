#include "core/crypto/certificate_time.h"

#include <algorithm>
#include <ctime>

namespace pganalytics::crypto {

std::optional<std::int64_t> unix_ns_of(const ASN1_TIME* date) {
  std::tm time{};
  if (ASN1_TIME_to_tm(date, &time) != 1) return std::nullopt;
  constexpr std::int64_t kLastSecond = 9'223'372'035, kFirstSecond = -kLastSecond;
  return std::clamp<std::int64_t>(timegm(&time), kFirstSecond, kLastSecond) * 1'000'000'000;
}

}  // namespace pganalytics::crypto
