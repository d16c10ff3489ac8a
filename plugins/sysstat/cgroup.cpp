#include "plugins/sysstat/cgroup.h"

#include <algorithm>

#include "plugins/sysstat/pressure.h"

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

// The smaller one of those that are there.
template <class Number>
std::optional<Number> least_of(const std::optional<Number>& one, const std::optional<Number>& other) {
  return one && other ? std::min(one, other) : one ? one : other;
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

CgroupLimits limits_of(Files& files, const std::string& cpu_max) {
  return {files.number("memory.max"), files.number("memory.high"), files.number("pids.max"), parse_cpu_max(cpu_max)};
}

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

CgroupLimits least(const CgroupLimits& one, const CgroupLimits& other) {
  return {least_of(one.memory_max_bytes, other.memory_max_bytes), least_of(one.memory_high_bytes, other.memory_high_bytes),
          least_of(one.pids_max, other.pids_max), least_of(one.cpu_max, other.cpu_max)};
}

CgroupLimits read_limits(const Tree& sys, const std::string& path, Gaps& gaps) {
  if (leads_out(path)) return {};
  Files files(sys, path, gaps);
  return limits_of(files, files.text("cpu.max"));
}

std::vector<std::string> groups_above(const std::string& path) {
  std::vector<std::string> above;
  std::string group = path;
  while (group.size() > 1) {
    group.resize(group.rfind('/'));
    above.push_back(group.empty() ? "/" : group);
  }
  return above;
}

std::optional<Cgroup> read_cgroup(const Tree& sys, const std::string& path, Gaps& gaps) {
  if (leads_out(path)) return std::nullopt;
  Files files(sys, path, gaps);
  Cgroup cgroup;
  cgroup.memory_bytes = files.number("memory.current");
  const std::string cpu_max = files.text("cpu.max");
  if (!cgroup.memory_bytes && cpu_max.empty()) return std::nullopt;

  cgroup.limits = limits_of(files, cpu_max);
  cgroup.effective = cgroup.limits;
  cgroup.swap_bytes = files.number("memory.swap.current");
  cgroup.pids = files.number("pids.current");
  const std::string events = files.text("memory.events");
  cgroup.memory_high_hits = keyed(events, "high");
  cgroup.memory_max_hits = keyed(events, "max");
  cgroup.oom_kills = keyed(events, "oom_kill");
  const std::string cpu = files.text("cpu.stat");
  cgroup.cpu_usage_us = keyed(cpu, "usage_usec");
  cgroup.cpu_periods = keyed(cpu, "nr_periods");
  cgroup.cpu_throttled_periods = keyed(cpu, "nr_throttled");
  cgroup.cpu_throttled_us = keyed(cpu, "throttled_usec");
  const Pressure on_cpu = parse_pressure(files.text("cpu.pressure"));
  const Pressure on_memory = parse_pressure(files.text("memory.pressure"));
  const Pressure on_io = parse_pressure(files.text("io.pressure"));
  cgroup.cpu_some_us = on_cpu.some.total_us;
  cgroup.cpu_full_us = on_cpu.full.total_us;
  cgroup.memory_some_us = on_memory.some.total_us;
  cgroup.memory_full_us = on_memory.full.total_us;
  cgroup.io_some_us = on_io.some.total_us;
  cgroup.io_full_us = on_io.full.total_us;
  return cgroup;
}

void to_json(JsonWriter& writer, const std::string& path, const char* of, const Cgroup& cgroup) {
  writer.begin_object().member("path", path).member("of", of);
  writer.member("memory_bytes", cgroup.memory_bytes).member("memory_max_bytes", cgroup.limits.memory_max_bytes);
  writer.member("memory_max_effective_bytes", cgroup.effective.memory_max_bytes);
  writer.member("memory_high_bytes", cgroup.limits.memory_high_bytes);
  writer.member("memory_high_effective_bytes", cgroup.effective.memory_high_bytes).member("swap_bytes", cgroup.swap_bytes);
  writer.member("memory_high_hits", cgroup.memory_high_hits).member("memory_max_hits", cgroup.memory_max_hits);
  writer.member("oom_kills", cgroup.oom_kills).member("pids", cgroup.pids);
  writer.member("pids_max", cgroup.limits.pids_max).member("pids_max_effective", cgroup.effective.pids_max);
  writer.member("cpu_max", cgroup.limits.cpu_max).member("cpu_max_effective", cgroup.effective.cpu_max);
  writer.member("cpu_usage_us", cgroup.cpu_usage_us);
  writer.member("cpu_periods", cgroup.cpu_periods).member("cpu_throttled_periods", cgroup.cpu_throttled_periods);
  writer.member("cpu_throttled_us", cgroup.cpu_throttled_us).member("cpu_some_us", cgroup.cpu_some_us);
  writer.member("cpu_full_us", cgroup.cpu_full_us);
  writer.member("memory_some_us", cgroup.memory_some_us).member("memory_full_us", cgroup.memory_full_us);
  writer.member("io_some_us", cgroup.io_some_us).member("io_full_us", cgroup.io_full_us);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
