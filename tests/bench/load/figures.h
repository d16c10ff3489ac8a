// What a scenario counts, and how it is told. [one thread]
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pganalytics::bench {

struct Counts {
  std::vector<double> answer_ms;         // from when a push was due to its 200
  std::map<int, std::uint64_t> refused;  // answers that were not 200, by status
  std::uint64_t broken = 0;              // connections that failed or ended unasked
  std::uint64_t bytes = 0;               // of pushes that were answered 200, as sent
  std::uint64_t rejected = 0;            // documents that were

  [[nodiscard]] std::uint64_t of_5xx() const;
  [[nodiscard]] std::uint64_t errors() const;
};

// CPU seconds and peak memory of a process, from /proc (proc(5)); zeros if it is gone.
struct Usage {
  double cpu_s = 0, rss_mib = 0;
};
Usage usage_of(int pid);
// A process and its children, those that have ended included.
double cpu_of_family(int pid);

struct Outcomes {
  std::string scenario;
  unsigned collectors = 0;
  double seconds = 0;
  Counts counts;
  double server_cpu = 0, client_cpu = 0, database_cpu = 0;  // processors, on average; database 0: not ours to see
  double server_rss_mib = 0;                                // its peak since it was started
  std::vector<std::pair<std::string, bool>> targets;        // what was to be reached, and whether it was
};

// Whether that share of the values is at most `limit`; false if there are none.
bool share_below(const std::vector<double>& values, double rank, double limit);

void print_table(const Outcomes& outcomes);
void print_json(const Outcomes& outcomes);

}  // namespace pganalytics::bench
