// @id@ - how many processes this machine starts: the whole plugin, and a place to begin yours.
//
// PostgreSQL forks for each connection, so many forks per second often mean that a connection pooler is missing. Each run reads
// the kernel's counter twice, sample_ms apart, and remembers the highest rate it has seen.
// The contract is pganalytics/plugin.h; plugin.hpp makes classes of it: no exception leaves, an Error becomes a status.
//
// SPDX-License-Identifier: Apache-2.0
#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <pganalytics/plugin.hpp>
#include <string>

#include "@id@_embedded.h"  // config.schema.json and output.schema.json, by CMakeLists.txt

namespace {

using pganalytics::Error;
using pganalytics::Expected;
using pganalytics::Outcome;

Expected<std::uint64_t> read_forks() {
  std::ifstream file("/proc/stat");
  if (!file) return Error{PGA_E_DENIED, "proc.open", "opening /proc/stat failed", "Is /proc mounted, and may we read it?", 0};
  std::string word;
  for (std::uint64_t forks = 0; file >> word; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    if (word == "processes" && file >> forks) return forks;
  }
  return Error{PGA_E_UNSUPPORTED, "proc.format", "/proc/stat has no line 'processes'", "", 0};
}

// Waits, but not beyond the deadline and not after a cancel. With a socket instead of -1, wait_for() waits for that too.
Outcome wait(std::chrono::milliseconds pause, const pganalytics::Run& run) {
  if (run.remaining() <= pause) {
    return Error{PGA_E_DEADLINE, "run.deadline", "a sample does not end before the deadline", "Set a smaller sample_ms.", 0};
  }
  PGA_TRY(const pganalytics::Wake wake, pganalytics::wait_for(-1, 0, run, pause));
  if (wake == pganalytics::Wake::kCancelled) return Error{PGA_E_DEADLINE, "run.cancelled", "cancelled while sampling", "", 0};
  return {};
}

// One instance. Nothing is global: there may be several.
class Forks : public pganalytics::Collector {
 public:
  Forks(pganalytics::Host host, std::string_view /*instance*/) : host_(host) {}

  // The host has checked it against config.schema.json and filled in the defaults.
  Outcome configure(std::string_view config_json, bool dry_run) override {
    rapidjson::Document config;
    config.Parse(config_json.data(), config_json.size());
    const auto key = config.IsObject() ? config.FindMember("sample_ms") : rapidjson::Value::MemberIterator();
    if (!config.IsObject() || key == config.MemberEnd() || !key->value.IsInt() || key->value.GetInt() < 1) {
      return Error{PGA_E_CONFIG, "config.sample_ms", "sample_ms is not a number of milliseconds above 0", "", 0};
    }
    if (!dry_run) sample_ = std::chrono::milliseconds(key->value.GetInt());
    return {};
  }

  Outcome collect(pganalytics::Run& run) override {
    const std::int64_t begin_ns = pganalytics::monotonic_now_ns();
    PGA_TRY(const std::uint64_t before, read_forks());
    PGA_CHECK(wait(sample_, run));
    PGA_TRY(const std::uint64_t forks, read_forks());
    const double rate =
        static_cast<double>(forks - before) * 1e9 / static_cast<double>(pganalytics::monotonic_now_ns() - begin_ns);
    PGA_TRY(const double peak, keep_peak(rate));

    pganalytics::JsonWriter document;
    document.begin_object()
        .member("type", "@id@")
        .member("timestamp", run.timestamp())
        .member("forks", forks)
        .member("forks_per_second", rate)
        .member("forks_per_second_peak", peak)
        .end_object();
    return run.emit(document.text());
  }

 private:
  // State outlives the process. It is committed with the documents of this run, or not at all.
  Expected<double> keep_peak(double rate) {
    PGA_TRY(const auto kept, host_.state_get("peak"));
    const double before = kept ? std::strtod(kept->c_str(), nullptr) : 0;
    const double peak =
        before >= rate && before < 1e9 ? before : rate;  // what was kept is bytes from outside: it may be anything
    PGA_CHECK(host_.state_set("peak", std::to_string(peak)));
    return peak;
  }

  pganalytics::Host host_;
  std::chrono::milliseconds sample_{0};
};

}  // namespace

// Version (of project() in CMakeLists.txt), vendor, description, licence, URL, aliases, schemas; what is not declared in the
// needs, the sandbox refuses; flags; default interval and timeout in milliseconds.
PGA_DEFINE_PLUGIN(Forks, "@id@",
                  (pganalytics::PluginFacts{PLUGIN_VERSION, "@vendor@", "How many processes this machine starts, from /proc/stat",
                                            "Apache-2.0", "", "", embedded::config_schema_json, embedded::output_schema_json,
                                            PGA_NEED_PROC, 0, 60'000, 10'000}))
