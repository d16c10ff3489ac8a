// The collector `sysstat`: one document about the machine per run, from /proc and /sys.
//
// Here: descriptor, configuration, the order of a run, the two readings that figures of an interval need. Not here: what the
// texts mean, for which each has a file. Called by the host, one call at a time.
#include <rapidjson/document.h>

#include <cmath>
#include <pganalytics/plugin.hpp>
#include <pganalytics/text.hpp>
#include <set>

#include "plugins/sysstat/facts.h"
#include "plugins/sysstat/gap.h"
#include "plugins/sysstat/interval.h"
#include "plugins/sysstat/network.h"
#include "plugins/sysstat/postgres_cgroups.h"
#include "plugins/sysstat/postgres_processes.h"
#include "plugins/sysstat/pressure.h"
#include "plugins/sysstat/readings.h"
#include "plugins/sysstat/tcp.h"
#include "plugins/sysstat/tree.h"
#include "sysstat_embedded.h"

namespace pganalytics::sysstat {
namespace {

using std::chrono::milliseconds;

// Shares over less than this would be noise: the kernel counts in ticks of 10 ms. A first run, which has no reading to compare
// with, takes one and waits this long, so that `once` has numbers too.
constexpr milliseconds kIntervalMin{250};
// A run whose deadline is nearer than this does without figures of an interval rather than miss it.
constexpr milliseconds kReserve{250};
// Facts hardly ever change; a change is told this much later at the latest.
constexpr std::chrono::seconds kFactsInterval{60};
constexpr char kFactsState[] = "facts";  // those that were delivered last
constexpr char kProcPath[] = "/proc";
constexpr char kSysPath[] = "/sys";

double rounded(double share) { return std::round(share * 1e6) / 1e6; }  // shorter text; far below one tick

class Sysstat : public Collector {
 public:
  Sysstat(Host host, std::string_view) : host_(host) {}
  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  std::optional<std::string> text_of(const std::string& file, const char* part, Gaps& gaps);
  std::optional<std::string> network_text(const char* file, const char* part, Gaps& gaps);
  Reading read_now(Gaps& gaps);
  Expected<Interval> measure(const Run& run, Gaps& gaps);

  void write_cpu(const Interval& interval);
  void write_devices(const Interval& interval);
  void write_network(Gaps& gaps);
  void write_processes(Gaps& gaps);
  void write_cgroups(const std::vector<ProcessGroup>& processes, Gaps& gaps);
  void write_pressure();
  Outcome write_facts();
  template <class Part>
  void write_part(const char* key, const char* file, Part (*parse)(std::string_view, Gaps&), Gaps& gaps);
  void write_gaps(const Gaps& gaps);

  Host host_;
  Tree proc_{kProcPath};
  Tree sys_{kSysPath};
  PostgresProcesses processes_{kProcPath};
  std::optional<Reading> before_;  // what the next interval starts from
  Clock::time_point facts_due_{};
  JsonWriter document_;
  std::size_t texts_read_ = 0;  // in this run
};

// The text of `name`, or `fallback`.
Expected<std::string> text_member(const rapidjson::Document& config, const char* name, const char* fallback) {
  const auto given = config.FindMember(name);
  if (given == config.MemberEnd()) return std::string(fallback);
  if (given->value.IsString()) return std::string(given->value.GetString());
  return Error{PGA_E_CONFIG, std::string("config.") + name, std::string(name) + " is not a text", "", 0};
}

Outcome Sysstat::configure(std::string_view config_json, bool dry_run) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Error{PGA_E_CONFIG, "config.json", "the configuration is not a JSON object", "", 0};
  }
  PGA_TRY(const std::string proc_path, text_member(config, "proc_path", kProcPath));
  if (const auto stat = Tree(proc_path).read("stat"); !stat) {
    return Error{PGA_E_CONFIG, "config.proc_path", "proc_path: " + stat.error().message, "Name the place where proc is mounted.",
                 0};
  }
  PGA_TRY(const std::string sys_path, text_member(config, "sys_path", kSysPath));
  if (dry_run) return {};
  if (proc_path != proc_.root()) {
    before_.reset();
    processes_ = PostgresProcesses(proc_path);
  }
  proc_ = Tree(proc_path);
  sys_ = Tree(sys_path);
  facts_due_ = {};
  return {};
}

std::optional<std::string> Sysstat::text_of(const std::string& file, const char* part, Gaps& gaps) {
  auto text = proc_.read(file);
  if (!text) {
    gaps.push_back({part, text.error().code, text.error().message, ""});
    return std::nullopt;
  }
  ++texts_read_;
  return std::move(text).value();
}

// /proc/net is of the network namespace of who reads it. In a container that watches its host, the host's is that of process 1.
std::optional<std::string> Sysstat::network_text(const char* file, const char* part, Gaps& gaps) {
  if (proc_.root() != kProcPath) {
    if (auto text = proc_.read(std::string("1/net/") + file)) return std::move(text).value();
  }
  return text_of(std::string("net/") + file, part, gaps);
}

Reading Sysstat::read_now(Gaps& gaps) {
  Reading reading;
  if (const auto stat = text_of("stat", "cpu", gaps)) reading.cpu = parse_cpu(*stat, gaps);
  if (const auto diskstats = text_of("diskstats", "devices", gaps)) reading.devices = parse_block_devices(*diskstats, gaps);
  reading.at = Clock::now();
  return reading;
}

// Only a cancelled run is an error; everything else that is missing is a gap.
Expected<Interval> Sysstat::measure(const Run& run, Gaps& gaps) {
  if (!before_) {
    Gaps told_again;
    before_ = read_now(told_again);
  }
  const auto wait = std::chrono::ceil<milliseconds>(before_->at + kIntervalMin - Clock::now());
  const bool in_time = run.remaining() >= wait + kReserve;
  if (in_time && wait > milliseconds::zero()) {
    PGA_TRY(const Wake wake, wait_for(-1, 0, run, wait));
    if (wake == Wake::kCancelled) {
      return Error{PGA_E_DEADLINE, "cancelled", "cancelled while waiting for the second reading of the CPU times", "", 0};
    }
  }
  Reading now = read_now(gaps);
  if (!in_time && wait > milliseconds::zero()) {
    gaps.push_back({"cpu", "cpu.interval", "the deadline leaves no time for two readings of the CPU times", ""});
    return without_interval(now);
  }
  Interval interval = interval_between(*before_, now, gaps);
  before_ = std::move(now);
  return interval;
}

void Sysstat::write_cpu(const Interval& interval) {
  const auto& all = interval.cpu.all;
  document_.key("cpu").begin_object();
  document_.member("interval_seconds", interval.seconds).member("count", interval.cpu_count);
  for (std::size_t kind = 0; kind < kCpuKinds; ++kind) {
    document_.member(kCpuKeys[kind], all ? std::optional(rounded((*all)[kind])) : std::nullopt);
  }
  document_.end_object();
  document_.key("cpus").begin_array();
  for (const CoreShares& core : interval.cpu.cores) {
    document_.begin_object().member("cpu", std::to_string(core.number));
    for (std::size_t kind = 0; kind < kCpuKinds; ++kind) document_.member(kCpuKeys[kind], rounded(core.shares[kind]));
    document_.end_object();
  }
  document_.end_array();
}

void Sysstat::write_devices(const Interval& interval) {
  document_.key("devices").begin_array();
  for (std::size_t i = 0; i < interval.devices.size(); ++i) to_json(document_, interval.devices[i], interval.activity[i]);
  document_.end_array();
}

void Sysstat::write_network(Gaps& gaps) {
  const auto dev = network_text("dev", "interfaces", gaps);
  document_.key("interfaces").begin_array();
  for (const Interface& interface : parse_interfaces(dev.value_or(""), gaps)) to_json(document_, interface);
  document_.end_array();

  const auto snmp = network_text("snmp", "tcp", gaps);
  const auto netstat = network_text("netstat", "tcp", gaps);
  Gaps told_already;
  document_.key("tcp");
  to_json(document_, parse_tcp(snmp.value_or(""), netstat.value_or(""), snmp && netstat ? gaps : told_already));
}

void Sysstat::write_processes(Gaps& gaps) {
  const auto processes = processes_.read(gaps);
  document_.key("processes").begin_array();
  for (const ProcessGroup& group : processes) to_json(document_, group);
  document_.end_array();
  if (has_cgroup_v2(sys_)) write_cgroups(processes, gaps);
}

void Sysstat::write_cgroups(const std::vector<ProcessGroup>& processes, Gaps& gaps) {
  std::set<pid_t> postmasters;
  for (const ProcessGroup& group : processes) postmasters.insert(group.postmaster);
  document_.key("cgroups").begin_array();
  for (const CgroupOf& each : read_postgres_cgroups(proc_, sys_, postmasters, gaps)) {
    to_json(document_, each.path, each.of, each.cgroup);
  }
  document_.end_array();
}

template <class Part>
void Sysstat::write_part(const char* key, const char* file, Part (*parse)(std::string_view, Gaps&), Gaps& gaps) {
  const auto text = text_of(file, key, gaps);
  document_.key(key);
  to_json(document_, text ? parse(*text, gaps) : Part{});
}

void Sysstat::write_pressure() {
  const auto pressure = read_pressure(proc_);
  if (!pressure) return;
  document_.key("pressure");
  to_json(document_, *pressure);
}

// Only if they are others than those that were delivered: the state is kept with the document or not at all.
Outcome Sysstat::write_facts() {
  const auto now = Clock::now();
  if (now < facts_due_) return {};
  facts_due_ = now + kFactsInterval;
  JsonWriter facts;
  to_json(facts, read_facts(proc_, sys_));
  PGA_TRY(const auto delivered, host_.state_get(kFactsState));
  if (delivered == facts.text()) return {};
  document_.key("facts").begin_array().json(facts.text()).end_array();
  return host_.state_set(kFactsState, facts.text());
}

void Sysstat::write_gaps(const Gaps& gaps) {
  document_.key("errors").begin_array();
  for (const Gap& gap : gaps) {
    document_.begin_object().member("part", gap.part).member("code", gap.code).member("message", gap.message);
    if (!gap.hint.empty()) document_.member("hint", gap.hint);
    if (gap.optional) document_.member("optional", true);
    document_.end_object();
  }
  document_.end_array();
}

Outcome Sysstat::collect(Run& run) {
  Gaps gaps;
  texts_read_ = 0;
  PGA_TRY(const Interval interval, measure(run, gaps));  // may wait, so everything else is read after it

  document_.clear();
  document_.begin_object().member("type", "sysstat").member("timestamp", run.timestamp());
  write_cpu(interval);
  write_part("memory", "meminfo", &parse_memory, gaps);
  write_part("paging", "vmstat", &parse_paging, gaps);
  write_part("activity", "stat", &parse_activity, gaps);
  write_part("load", "loadavg", &parse_load, gaps);
  const auto uptime = text_of("uptime", "uptime_seconds", gaps);
  document_.member("uptime_seconds", uptime ? parse_uptime_seconds(*uptime, gaps) : std::nullopt);
  write_pressure();
  write_network(gaps);
  write_devices(interval);
  write_processes(gaps);
  PGA_CHECK(write_facts());
  write_gaps(gaps);
  document_.end_object();

  if (texts_read_ == 0)
    return Error{PGA_E_FAIL, gaps.front().code, gaps.front().message, "Is /proc mounted, and may we read it?", 0};
  return run.emit(document_.text());
}

}  // namespace
}  // namespace pganalytics::sysstat

PGA_DEFINE_PLUGIN(pganalytics::sysstat::Sysstat, "sysstat",
                  (pganalytics::PluginFacts{
                      "0.1.0", "pgAnalytics",
                      "The machine: CPU, memory, pressure, network, block devices, cgroups, PostgreSQL's processes", "Apache-2.0",
                      "https://github.com/pganalytics/pganalytics", "", embedded::config_schema_json,
                      embedded::output_schema_json, PGA_NEED_PROC | PGA_NEED_READ_FS, 0, 10'000, 5'000}))
