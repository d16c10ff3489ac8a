// What the benchmarks print: one line a quantity, median, 95th percentile and worst.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace pganalytics::bench {

inline double share(std::vector<double> values, double rank) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(rank * static_cast<double>(values.size() - 1))];
}

inline void show(const char* what, const std::vector<double>& values, const char* unit) {
  std::printf("%-56s median %9.3f  p95 %9.3f  worst %9.3f  %s\n", what, share(values, 0.5), share(values, 0.95), share(values, 1),
              unit);
}

[[noreturn]] inline void give_up(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);
}

}  // namespace pganalytics::bench
