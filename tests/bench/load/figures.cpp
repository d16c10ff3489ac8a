#include "tests/bench/load/figures.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <pganalytics/json.hpp>
#include <sstream>

#include "tests/bench/figures.h"

namespace pganalytics::bench {
namespace {

struct Stat {
  int parent = 0;
  double own_s = 0, children_s = 0;
};

// Fields 4 and 14 to 17 of proc(5)'s stat, counted from behind the name, which may have blanks.
Stat stat_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream words(text.substr(end + 1));
  std::string ignored;
  Stat stat;
  double user = 0, system = 0, children_user = 0, children_system = 0;
  words >> ignored >> stat.parent;
  for (int field = 5; field < 14; ++field) words >> ignored;
  words >> user >> system >> children_user >> children_system;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  stat.own_s = (user + system) / ticks;
  stat.children_s = (children_user + children_system) / ticks;
  return stat;
}

double rank(const Counts& counts, double which) { return counts.answer_ms.empty() ? 0 : share(counts.answer_ms, which); }

}  // namespace

std::uint64_t Counts::of_5xx() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : refused) sum += status >= 500 ? count : 0;
  return sum;
}

std::uint64_t Counts::errors() const {
  std::uint64_t sum = broken + rejected;
  for (const auto& [status, count] : refused) sum += count;
  return sum;
}

Usage usage_of(int pid) {
  Usage usage;
  usage.cpu_s = stat_of(std::to_string(pid)).own_s;
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) usage.rss_mib = std::stod(line.substr(6)) / 1024;
  }
  return usage;
}

double cpu_of_family(int pid) {
  const Stat root = stat_of(std::to_string(pid));
  double sum = root.own_s + root.children_s;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const Stat child = stat_of(name);
    if (child.parent == pid) sum += child.own_s + child.children_s;
  }
  return sum;
}

bool share_below(const std::vector<double>& values, double rank, double limit) {
  return !values.empty() && share(values, rank) <= limit;
}

void print_table(const Outcomes& outcomes) {
  const Counts& counts = outcomes.counts;
  const auto pushes = static_cast<double>(counts.answer_ms.size());
  std::printf("\n%s: %u collectors, %.1f s\n", outcomes.scenario.c_str(), outcomes.collectors, outcomes.seconds);
  std::printf("  pushes answered 200   %10.0f  %9.1f /s  %8.2f MB/s as sent\n", pushes, pushes / outcomes.seconds,
              static_cast<double>(counts.bytes) / outcomes.seconds / 1e6);
  std::printf("  answered after, ms    p50 %.1f  p95 %.1f  p99 %.1f  worst %.1f\n", rank(counts, 0.5), rank(counts, 0.95),
              rank(counts, 0.99), rank(counts, 1));
  std::printf("  connections broken    %10llu\n", static_cast<unsigned long long>(counts.broken));
  std::printf("  documents rejected    %10llu\n", static_cast<unsigned long long>(counts.rejected));
  for (const auto& [status, count] : counts.refused)
    std::printf("  answered %d          %10llu\n", status, static_cast<unsigned long long>(count));
  std::printf("  processors            server %.2f  database %.2f  this program %.2f\n", outcomes.server_cpu,
              outcomes.database_cpu, outcomes.client_cpu);
  std::printf("  server's peak RSS     %.0f MiB\n", outcomes.server_rss_mib);
  for (const auto& [target, met] : outcomes.targets) std::printf("  target %-44s %s\n", target.c_str(), met ? "met" : "missed");
}

void print_json(const Outcomes& outcomes) {
  const Counts& counts = outcomes.counts;
  JsonWriter json;
  json.begin_object().member("scenario", outcomes.scenario).member("collectors", outcomes.collectors);
  json.member("seconds", outcomes.seconds).member("pushes", counts.answer_ms.size()).member("bytes", counts.bytes);
  json.member("p50_ms", rank(counts, 0.5)).member("p95_ms", rank(counts, 0.95)).member("p99_ms", rank(counts, 0.99));
  json.member("worst_ms", rank(counts, 1))
      .member("broken", counts.broken)
      .member("rejected", counts.rejected)
      .key("refused")
      .begin_object();
  for (const auto& [status, count] : counts.refused) json.member(std::to_string(status), count);
  json.end_object().member("server_cpu", outcomes.server_cpu).member("database_cpu", outcomes.database_cpu);
  json.member("client_cpu", outcomes.client_cpu).member("server_rss_mib", outcomes.server_rss_mib).key("targets").begin_object();
  for (const auto& [target, met] : outcomes.targets) json.member(target, met);
  std::printf("%s\n", std::string(json.end_object().end_object().text()).c_str());
}

}  // namespace pganalytics::bench
