#include "plugins/disk/growth.h"

namespace pganalytics::disk {
namespace {

constexpr double kNsPerSecond = 1e9;

}  // namespace

std::optional<Trend> Growth::see(const std::string& name, std::uint64_t used_bytes, std::uint64_t available_bytes,
                                 std::int64_t now_ns) {
  auto& samples = samples_[name];
  while (!samples.empty() && now_ns - samples.front().at_ns > kWindowNs) samples.pop_front();
  const Sample now{now_ns, static_cast<double>(used_bytes)};
  // However short the interval, an hour is kSamples of them: those between are only for their own moment.
  const bool kept = samples.empty() || now_ns - samples.back().at_ns >= kWindowNs / static_cast<std::int64_t>(kSamples);
  if (kept) samples.push_back(now);
  const std::int64_t window_ns = now_ns - samples.front().at_ns;
  if (window_ns < kWindowMinNs) return std::nullopt;

  // Seconds before now and bytes above the first: both small enough to be exact.
  double count = 0, sum_t = 0, sum_u = 0, sum_tt = 0, sum_tu = 0;
  const auto add = [&](const Sample& sample) {
    const double t = static_cast<double>(sample.at_ns - now_ns) / kNsPerSecond, u = sample.used - samples.front().used;
    count += 1, sum_t += t, sum_u += u, sum_tt += t * t, sum_tu += t * u;
  };
  for (const Sample& sample : samples) add(sample);
  if (!kept) add(now);
  Trend trend;
  trend.window_seconds = static_cast<double>(window_ns) / kNsPerSecond;
  trend.bytes_per_second = (count * sum_tu - sum_t * sum_u) / (count * sum_tt - sum_t * sum_t);
  if (trend.bytes_per_second > 0) trend.seconds_to_full = static_cast<double>(available_bytes) / trend.bytes_per_second;
  last_[name] = trend;
  return trend;
}

std::optional<Trend> Growth::last(const std::string& name) const {
  const auto found = last_.find(name);
  return found == last_.end() ? std::nullopt : std::optional(found->second);
}

void Growth::keep_only(const std::set<std::string>& names) {
  for (auto each = samples_.begin(); each != samples_.end();) {
    if (names.count(each->first) == 0) last_.erase(each->first);
    each = names.count(each->first) > 0 ? std::next(each) : samples_.erase(each);
  }
}

}  // namespace pganalytics::disk
