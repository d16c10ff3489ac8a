// How fast each file system fills, and when it will be full if it goes on so.
//
// The slope of a straight line through what was used over the last hour (least squares), so that one large file that comes and
// goes changes little. Here: the arithmetic and what is remembered. Not here: asking (statvfs_probe.h). The time is given. One
// thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace pganalytics::disk {

struct Trend {
  double bytes_per_second = 0;            // negative: it empties
  double window_seconds = 0;              // that it was computed over
  std::optional<double> seconds_to_full;  // of what ordinary users may still write; nullopt: it does not fill
};

class Growth {
 public:
  static constexpr std::int64_t kWindowNs = 3'600'000'000'000;
  static constexpr std::int64_t kWindowMinNs = 300'000'000'000;  // what is told from less is noise
  static constexpr std::size_t kSamples = 60;

  // What the file system `name` says now. nullopt: it has not been watched for long enough.
  std::optional<Trend> see(const std::string& name, std::uint64_t used_bytes, std::uint64_t available_bytes, std::int64_t now_ns);

  // What see() said last.
  [[nodiscard]] std::optional<Trend> last(const std::string& name) const;

  // File systems that are no more.
  void keep_only(const std::set<std::string>& names);

 private:
  struct Sample {
    std::int64_t at_ns;
    double used;
  };
  std::map<std::string, std::deque<Sample>> samples_;
  std::map<std::string, Trend> last_;
};

}  // namespace pganalytics::disk
