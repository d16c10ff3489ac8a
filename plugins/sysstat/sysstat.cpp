// The collector `sysstat`: one document about the machine per run, from /proc.
//
// Here: descriptor, configuration, the order of a run, the two readings that CPU shares need. Not here: what the texts mean
// (cpu.h, readings.h). Called by the host, one call at a time.
#include <poll.h>

#include <rapidjson/document.h>
#include <algorithm>
#include <cmath>
#include <pganalytics/plugin.hpp>
#include <pganalytics/text.hpp>

#include "plugins/sysstat/cpu.h"
#include "plugins/sysstat/gap.h"
#include "plugins/sysstat/readings.h"
#include "sysstat_embedded.h"

namespace pganalytics::sysstat {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Shares over less than this would be noise: the kernel counts in ticks of 10 ms. A first run, which has no reading to compare
// with, takes one and waits this long, so that `once` has numbers too.
constexpr milliseconds kCpuIntervalMin{250};
// A run whose deadline is nearer than this does without CPU shares rather than miss it.
constexpr milliseconds kReserve{250};
// The largest of these files, /proc/stat of a machine with thousands of interrupts, has some hundred KiB.
constexpr std::size_t kProcFileMaxBytes = 4 << 20;

Expected<std::string> read_proc(const std::string& path) { return read_text(path, kProcFileMaxBytes, "proc.unreadable"); }

// Waits; false as soon as the run is cancelled.
bool wait_for(const Run& run, milliseconds duration) {
  const auto end = Clock::now() + duration;
  for (;;) {
    if (run.cancelled()) return false;
    const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    if (left <= milliseconds::zero()) return true;
    pollfd cancel{run.cancel_fd(), POLLIN, 0};  // poll() passes over a negative one: then cancelled() is asked now and then
    const auto nap = run.cancel_fd() < 0 ? std::min(left, milliseconds(50)) : left;
    ::poll(&cancel, 1, static_cast<int>(nap.count()));
  }
}

double rounded(double share) { return std::round(share * 1e6) / 1e6; }  // shorter text; far below one tick

class Sysstat : public Collector {
 public:
  Sysstat(Host, std::string_view) {}
  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  struct Base {
    CpuTicks ticks;
    Clock::time_point at;
  };
  struct CpuInterval {
    std::optional<CpuShares> shares;
    std::optional<double> seconds;
    std::optional<std::uint64_t> count;
  };

  std::optional<std::string> text_of(const char* file, const char* part, Gaps& gaps);
  CpuReading read_cpu(Gaps& gaps);
  Expected<CpuInterval> measure_cpu(const Run& run, Gaps& gaps);
  void write_cpu(const CpuInterval& cpu);
  void write_pressure();
  template <class Reading>
  void write_part(const char* key, const char* file, Reading (*parse)(std::string_view, Gaps&), Gaps& gaps);
  void write_gaps(const Gaps& gaps);

  std::string proc_path_ = "/proc";
  std::optional<Base> base_;  // the reading that the next shares start from
  JsonWriter document_;
  std::size_t texts_read_ = 0;  // in this run
};

Outcome Sysstat::configure(std::string_view config_json, bool dry_run) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Error{PGA_E_CONFIG, "config.json", "the configuration is not a JSON object", "", 0};
  }
  std::string proc_path = "/proc";
  if (const auto given = config.FindMember("proc_path"); given != config.MemberEnd()) {
    if (!given->value.IsString()) return Error{PGA_E_CONFIG, "config.proc_path", "proc_path is not a text", "", 0};
    proc_path = given->value.GetString();
  }
  if (const auto stat = read_proc(proc_path + "/stat"); !stat) {
    return Error{PGA_E_CONFIG, "config.proc_path", "proc_path: " + stat.error().message, "Name the place where proc is mounted.",
                 0};
  }
  if (dry_run) return {};
  if (proc_path != proc_path_) base_.reset();
  proc_path_ = proc_path;
  return {};
}

std::optional<std::string> Sysstat::text_of(const char* file, const char* part, Gaps& gaps) {
  auto text = read_proc(proc_path_ + "/" + file);
  if (!text) {
    gaps.push_back({part, text.error().code, text.error().message});
    return std::nullopt;
  }
  ++texts_read_;
  return std::move(text).value();
}

CpuReading Sysstat::read_cpu(Gaps& gaps) {
  const auto stat = text_of("stat", "cpu", gaps);
  return stat ? parse_cpu(*stat, gaps) : CpuReading{};
}

// Only a cancelled run is an error; everything else that is missing is a gap.
Expected<Sysstat::CpuInterval> Sysstat::measure_cpu(const Run& run, Gaps& gaps) {
  if (!base_) {
    const CpuReading first = read_cpu(gaps);
    if (!first.ticks) return CpuInterval{std::nullopt, std::nullopt, first.count};
    base_ = Base{*first.ticks, Clock::now()};
  }
  const auto wait = std::chrono::ceil<milliseconds>(base_->at + kCpuIntervalMin - Clock::now());
  const bool in_time = run.remaining() >= wait + kReserve;
  if (in_time && !wait_for(run, wait)) {
    return Error{PGA_E_DEADLINE, "cancelled", "cancelled while waiting for the second reading of the CPU times", "", 0};
  }

  const CpuReading now = read_cpu(gaps);
  CpuInterval interval{std::nullopt, std::nullopt, now.count};
  if (!now.ticks) return interval;
  if (!in_time && wait > milliseconds::zero()) {
    gaps.push_back({"cpu", "cpu.interval", "the deadline leaves no time for two readings of the CPU times"});
    return interval;
  }
  const Base before = *base_;
  base_ = Base{*now.ticks, Clock::now()};
  interval.seconds = std::chrono::duration<double>(base_->at - before.at).count();
  interval.shares = cpu_shares(before.ticks, *now.ticks);
  if (!interval.shares) gaps.push_back({"cpu", "cpu.interval", "the kernel counted no CPU time since the reading before"});
  return interval;
}

void Sysstat::write_cpu(const CpuInterval& cpu) {
  document_.key("cpu").begin_object();
  document_.member("interval_seconds", cpu.seconds).member("count", cpu.count);
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) {
    document_.member(kCpuKeys[kind], cpu.shares ? std::optional(rounded((*cpu.shares)[kind])) : std::nullopt);
  }
  document_.end_object();
}

template <class Reading>
void Sysstat::write_part(const char* key, const char* file, Reading (*parse)(std::string_view, Gaps&), Gaps& gaps) {
  const auto text = text_of(file, key, gaps);
  document_.key(key);
  to_json(document_, text ? parse(*text, gaps) : Reading{});
}

// A kernel without pressure stall information (CONFIG_PSI, "psi=1") has no such files: then the key is absent, and it is no gap.
void Sysstat::write_pressure() {
  const auto cpu = read_proc(proc_path_ + "/pressure/cpu");
  const auto memory = read_proc(proc_path_ + "/pressure/memory");
  const auto io = read_proc(proc_path_ + "/pressure/io");
  if (!cpu || !memory || !io) return;
  const Pressure on_memory = parse_pressure(*memory);
  const Pressure on_io = parse_pressure(*io);
  document_.key("pressure").begin_object();
  document_.member("cpu_some_us", parse_pressure(*cpu).some_us);
  document_.member("memory_some_us", on_memory.some_us).member("memory_full_us", on_memory.full_us);
  document_.member("io_some_us", on_io.some_us).member("io_full_us", on_io.full_us);
  document_.end_object();
}

void Sysstat::write_gaps(const Gaps& gaps) {
  document_.key("errors").begin_array();
  for (const Gap& gap : gaps) {
    document_.begin_object().member("part", gap.part).member("code", gap.code).member("message", gap.message).end_object();
  }
  document_.end_array();
}

Outcome Sysstat::collect(Run& run) {
  Gaps gaps;
  texts_read_ = 0;
  PGA_TRY(const CpuInterval cpu, measure_cpu(run, gaps));  // may wait, so everything else is read after it

  document_.clear();
  document_.begin_object().member("type", "sysstat").member("timestamp", run.timestamp());
  write_cpu(cpu);
  write_part("memory", "meminfo", &parse_memory, gaps);
  write_part("paging", "vmstat", &parse_paging, gaps);
  write_part("activity", "stat", &parse_activity, gaps);
  write_part("load", "loadavg", &parse_load, gaps);
  const auto uptime = text_of("uptime", "uptime_seconds", gaps);
  document_.member("uptime_seconds", uptime ? parse_uptime_seconds(*uptime, gaps) : std::nullopt);
  write_pressure();
  write_gaps(gaps);
  document_.end_object();

  if (texts_read_ == 0)
    return Error{PGA_E_FAIL, gaps.front().code, gaps.front().message, "Is /proc mounted, and may we read it?", 0};
  return run.emit(document_.text());
}

}  // namespace
}  // namespace pganalytics::sysstat

PGA_DEFINE_PLUGIN(pganalytics::sysstat::Sysstat, "sysstat",
                  (pganalytics::PluginFacts{"0.1.0", "pgAnalytics",
                                            "CPU, memory, paging, load and pressure of the machine, from /proc", "Apache-2.0",
                                            "https://github.com/pganalytics/pganalytics", "", embedded::config_schema_json,
                                            embedded::output_schema_json, PGA_NEED_PROC | PGA_NEED_READ_FS, 0, 10'000, 5'000}))
