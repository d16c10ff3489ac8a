#include "core/host/resources.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <vector>

#include "core/host/process.h"
#include "core/instance/instance_name.h"

namespace pganalytics::host {
namespace {

constexpr std::int64_t kThreadsMax = 512;
constexpr std::size_t kProcessesMax = 256;  // that are looked at for one worker
constexpr std::int64_t kNsPerMs = 1'000'000;

// A file of /proc, at most a page of it: every one that is read here is shorter.
std::string read_proc(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(4096, '\0');
  const ssize_t got = file.get() < 0 ? 0 : read(file.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::vector<std::int64_t> numbers_in(std::string_view text) {
  std::vector<std::int64_t> numbers;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    std::int64_t number = 0;
    if (std::from_chars(text.data(), text.data() + end, number).ec == std::errc()) numbers.push_back(number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return numbers;
}

std::int64_t ticks_to_ms(std::int64_t ticks) {
  static const std::int64_t per_second = sysconf(_SC_CLK_TCK);
  return ticks * 1000 / per_second;
}

std::optional<Usage> own_usage_of(pid_t pid) {
  const std::string stat = read_proc("/proc/" + std::to_string(pid) + "/stat");
  // The name, in parentheses, may hold anything; behind it come the state and numbers only.
  const std::size_t name_end = stat.rfind(") ");
  if (name_end == std::string::npos || name_end + 4 > stat.size()) return std::nullopt;
  const std::vector<std::int64_t> fields =
      numbers_in(std::string_view(stat).substr(name_end + 4));  // from the fourth of proc(5) on
  constexpr std::size_t kUtime = 10, kStime = 11, kCutime = 12, kCstime = 13, kThreads = 16, kRss = 20;
  if (fields.size() <= kRss) return std::nullopt;
  static const std::int64_t page_bytes = sysconf(_SC_PAGESIZE);
  return Usage{fields[kRss] * page_bytes, ticks_to_ms(fields[kUtime] + fields[kStime] + fields[kCutime] + fields[kCstime]),
               fields[kThreads]};
}

// Of all its threads: a child belongs to the one that started it.
std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::error_code failed;  // it may end at any moment
  std::filesystem::directory_iterator thread("/proc/" + std::to_string(pid) + "/task", failed);
  while (!failed && thread != std::filesystem::directory_iterator()) {
    for (const std::int64_t child : numbers_in(read_proc(thread->path().string() + "/children"))) {
      children.push_back(static_cast<pid_t>(child));
    }
    thread.increment(failed);
  }
  return children;
}

std::string mebibytes(std::int64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

}  // namespace

std::optional<Usage> usage_of(pid_t pid, bool with_children) {
  std::optional<Usage> usage = own_usage_of(pid);
  if (!usage || !with_children) return usage;
  std::set<pid_t> seen = {pid};
  std::vector<pid_t> open = {pid};
  while (!open.empty() && seen.size() < kProcessesMax) {
    const pid_t next = open.back();
    open.pop_back();
    for (const pid_t child : children_of(next)) {
      if (seen.size() == kProcessesMax || !seen.insert(child).second) continue;
      const auto of_child = own_usage_of(child);
      if (!of_child) continue;  // it ended meanwhile
      usage->rss_bytes += of_child->rss_bytes;
      usage->cpu_ms += of_child->cpu_ms;
      usage->threads += of_child->threads;
      open.push_back(child);
    }
  }
  return usage;
}

std::optional<std::int64_t> proportional_bytes(pid_t pid) {
  const std::string text = read_proc("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const std::size_t found = text.find("\nPss:");
  if (found == std::string::npos) return std::nullopt;
  const std::vector<std::int64_t> numbers = numbers_in(text.substr(found + 5, text.find('\n', found + 1) - found - 5));
  if (numbers.empty()) return std::nullopt;
  return numbers.front() * 1024;
}

std::optional<Error> Ceilings::judge(const Usage& usage, std::int64_t now_ns) {
  auto over = judge_memory(usage.rss_bytes);
  if (!over) over = judge_threads(usage.threads);
  if (!over) over = judge_cpu(usage.cpu_ms, now_ns);
  return over;
}

std::optional<Error> Ceilings::judge_memory(std::int64_t bytes) {
  const bool over = memory_max_bytes_ > 0 && bytes > memory_max_bytes_;
  if (!std::exchange(over_memory_, over) || !over) return std::nullopt;
  return Error{PGA_E_LIMIT, "worker.memory",
               "its worker held " + mebibytes(bytes) + " of memory, its ceiling is " + mebibytes(memory_max_bytes_),
               "If it needs that much, raise memory_max in " + instance::table_of(plugin_) + ".", 0};
}

// Their stacks count as its memory, what the kernel keeps for each does not.
std::optional<Error> Ceilings::judge_threads(std::int64_t threads) {
  if (threads <= kThreadsMax) return std::nullopt;
  return Error{PGA_E_LIMIT, "worker.threads",
               "its worker ran " + std::to_string(threads) + " threads, the ceiling is " + std::to_string(kThreadsMax),
               "No collector needs so many: its vendor wants to know.", 0};
}

std::optional<Error> Ceilings::judge_cpu(std::int64_t cpu_ms, std::int64_t now_ns) {
  if (cpu_max_percent_ == 0) return std::nullopt;
  cpu_.emplace_back(now_ns, cpu_ms);
  const std::int64_t window_begins_ns = now_ns - window_ms_ * kNsPerMs;
  while (cpu_.size() > 1 && cpu_[1].first <= window_begins_ns) cpu_.pop_front();
  const auto& [first_ns, first_ms] = cpu_.front();
  if (first_ns > window_begins_ns) return std::nullopt;  // too young to be judged
  const std::int64_t percent = (cpu_ms - first_ms) * 100 / std::max<std::int64_t>((now_ns - first_ns) / kNsPerMs, 1);
  if (percent <= cpu_max_percent_) return std::nullopt;
  return Error{PGA_E_LIMIT, "worker.cpu",
               "its worker took " + std::to_string(percent) + " % of a core for " + std::to_string(window_ms_ / 1000) +
                   " s, its ceiling is " + std::to_string(cpu_max_percent_) + " %",
               "If it needs that much, raise cpu_max in " + instance::table_of(plugin_) + ".", 0};
}

}  // namespace pganalytics::host
