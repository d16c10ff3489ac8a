#include "plugins/sysstat/cgroup.h"

#include <algorithm>

#include "plugins/sysstat/readings.h"

namespace pganalytics::sysstat {
namespace {

constexpr char kRoot[] = "fs/cgroup";

// The number behind `key` in a file of lines "key number".
Count keyed(std::string_view text, std::string_view key) {
  while (auto line = next_line(text)) {
    if (next_word(*line) == key) return to_count(next_word(*line));
  }
  return std::nullopt;
}

bool leads_out(std::string_view path) {
  if (path.empty() || path.front() != '/') return true;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return true;
    path.remove_prefix(end);
  }
  return false;
}

class Files {
 public:
  Files(const Tree& sys, const std::string& path, Gaps& gaps)
      : sys_(sys), folder_(kRoot + (path == "/" ? std::string() : path) + "/"), gaps_(gaps) {}

  // Empty if there is none.
  std::string text(const char* file) {
    auto text = sys_.read(folder_ + file);
    if (text) return std::move(text).value();
    if (text.error().status == PGA_E_DENIED) gaps_.push_back({"cgroups", text.error().code, text.error().message, ""});
    return "";
  }
  Count number(const char* file) {
    const std::string whole = text(file);
    std::string_view words = whole;
    return to_count(next_word(words));
  }

 private:
  const Tree& sys_;
  std::string folder_;
  Gaps& gaps_;
};

}  // namespace

std::optional<std::string> parse_cgroup_path(std::string_view cgroup) {
  constexpr std::string_view kVersion2 = "0::/";
  while (const auto line = next_line(cgroup)) {
    if (line->substr(0, kVersion2.size()) == kVersion2) return std::string(line->substr(kVersion2.size() - 1));
  }
  return std::nullopt;
}

bool has_cgroup_v2(const Tree& sys) { return static_cast<bool>(sys.read(std::string(kRoot) + "/cgroup.controllers")); }

std::optional<double> parse_cpu_max(std::string_view cpu_max) {
  const auto quota = to_count(next_word(cpu_max));
  const auto period = to_count(next_word(cpu_max));
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<Cgroup> read_cgroup(const Tree& sys, const std::string& path, Gaps& gaps) {
  if (leads_out(path)) return std::nullopt;
  Files files(sys, path, gaps);
  Cgroup cgroup;
  cgroup.memory_bytes = files.number("memory.current");
  const std::string cpu_max = files.text("cpu.max");
  if (!cgroup.memory_bytes && cpu_max.empty()) return std::nullopt;

  cgroup.memory_max_bytes = files.number("memory.max");
  cgroup.memory_high_bytes = files.number("memory.high");
  cgroup.swap_bytes = files.number("memory.swap.current");
  const std::string events = files.text("memory.events");
  cgroup.memory_max_hits = keyed(events, "max");
  cgroup.oom_kills = keyed(events, "oom_kill");
  cgroup.cpu_max = parse_cpu_max(cpu_max);
  const std::string cpu = files.text("cpu.stat");
  cgroup.cpu_usage_us = keyed(cpu, "usage_usec");
  cgroup.cpu_periods = keyed(cpu, "nr_periods");
  cgroup.cpu_throttled_periods = keyed(cpu, "nr_throttled");
  cgroup.cpu_throttled_us = keyed(cpu, "throttled_usec");
  const Pressure on_memory = parse_pressure(files.text("memory.pressure"));
  const Pressure on_io = parse_pressure(files.text("io.pressure"));
  cgroup.cpu_some_us = parse_pressure(files.text("cpu.pressure")).some_us;
  cgroup.memory_some_us = on_memory.some_us;
  cgroup.memory_full_us = on_memory.full_us;
  cgroup.io_some_us = on_io.some_us;
  cgroup.io_full_us = on_io.full_us;
  return cgroup;
}

void to_json(JsonWriter& writer, const std::string& path, const char* of, const Cgroup& cgroup) {
  writer.begin_object().member("path", path).member("of", of);
  writer.member("memory_bytes", cgroup.memory_bytes).member("memory_max_bytes", cgroup.memory_max_bytes);
  writer.member("memory_high_bytes", cgroup.memory_high_bytes).member("swap_bytes", cgroup.swap_bytes);
  writer.member("memory_max_hits", cgroup.memory_max_hits).member("oom_kills", cgroup.oom_kills);
  writer.member("cpu_max", cgroup.cpu_max).member("cpu_usage_us", cgroup.cpu_usage_us);
  writer.member("cpu_periods", cgroup.cpu_periods).member("cpu_throttled_periods", cgroup.cpu_throttled_periods);
  writer.member("cpu_throttled_us", cgroup.cpu_throttled_us).member("cpu_some_us", cgroup.cpu_some_us);
  writer.member("memory_some_us", cgroup.memory_some_us).member("memory_full_us", cgroup.memory_full_us);
  writer.member("io_some_us", cgroup.io_some_us).member("io_full_us", cgroup.io_full_us);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
