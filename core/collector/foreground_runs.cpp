#include "core/collector/foreground_runs.h"

#include "core/clock/clock.h"
#include "core/collector/command_line.h"
#include "core/collector/installation.h"
#include "core/schema/json_text.h"

#include <rapidjson/prettywriter.h>

#include <algorithm>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kStopMs = 2'000;
// A run's own timeout comes on top: loading, configuring, and the three steps of force of one that hangs.
constexpr std::int64_t kAroundARunMs = 50'000;

class Rounds {
 public:
  Rounds(host::Supervisor& supervisor, const std::vector<host::PluginSettings>& settings, ForegroundSink& sink,
         const WakeSignals* wake)
      : supervisor_(supervisor), sink_(sink), wake_(wake) {
    for (const host::PluginSettings& plugin : settings) {
      names_.push_back(plugin.instance);
      timeout_ms_ = std::max(timeout_ms_, plugin.timeout_ms);
    }
  }

  std::size_t run(const Pace& pace) {
    std::int64_t due_ns = clock::now_monotonic_ns();
    for (std::uint64_t done = 0; pace.rounds == 0 || done < pace.rounds; ++done) {
      if (!wait(due_ns, false) || !round()) break;
      // A round that took longer than the pace is followed at once, and the pace begins anew.
      due_ns = std::max(due_ns + pace.every_ms * kNsPerMs, clock::now_monotonic_ns());
    }
    return stopped() ? 0 : wanted_ - std::min(wanted_, sink_.ended());
  }

 private:
  [[nodiscard]] bool stopped() const { return wake_ != nullptr && WakeSignals::stop_wanted(); }
  [[nodiscard]] bool all_ended() const { return sink_.ended() + refused_ >= wanted_; }

  // False: there is no sense in another.
  bool round() {
    for (const std::string& name : names_) {
      ++wanted_;
      const Outcome asked = supervisor_.request_run(name, PGA_REASON_ONDEMAND);
      if (asked) continue;
      print_error(asked.error());
      ++refused_;
    }
    return wait(clock::now_monotonic_ns() + (timeout_ms_ + kAroundARunMs) * kNsPerMs, true) && all_ended();
  }

  // Until the time has come, or all runs have ended. False: stopped, or the wait itself failed.
  bool wait(std::int64_t until_ns, bool for_runs) {
    while (!stopped()) {
      if (for_runs && all_ended()) return true;
      const std::int64_t left_ns = until_ns - clock::now_monotonic_ns();
      if (left_ns <= 0) return true;
      if (!supervisor_.turn(left_ns / kNsPerMs + 1, wake_ == nullptr ? -1 : wake_->fd())) return false;
      if (wake_ != nullptr) wake_->clear();
    }
    return false;
  }

  host::Supervisor& supervisor_;
  ForegroundSink& sink_;
  const WakeSignals* wake_;
  std::vector<std::string> names_;
  std::int64_t timeout_ms_ = 0;
  std::size_t wanted_ = 0, refused_ = 0;
};

}  // namespace

Outcome ForegroundSink::run_finished(host::RunReport&& report) {
  if (closed_) return {};
  ++ended_;
  tell(report);
  if (report.failed) {
    ++failed_;
    return {};  // the supervisor says why
  }
  Outcome kept = keep(std::move(report));
  if (!kept) ++failed_;
  return kept;
}

Expected<std::optional<std::string>> ForegroundSink::secret(const std::string&, const std::string& name) {
  return read_secret(config_, name);
}

std::size_t run_in_foreground(host::Supervisor& supervisor, std::vector<host::PluginSettings> settings, ForegroundSink& sink,
                              const Pace& pace, const WakeSignals* wake) {
  Rounds rounds(supervisor, settings, sink, wake);
  supervisor.set_scheduling(false);
  supervisor.apply(std::move(settings));
  const std::size_t missing = rounds.run(pace);
  sink.close();
  supervisor.stop(kStopMs);
  return missing;
}

std::size_t run_in_foreground(std::vector<host::PluginSettings> settings, ForegroundSink& sink) {
  if (settings.empty()) return 0;
  host::SupervisorOptions options;
  options.worker_path = worker_path();
  host::Supervisor supervisor(options, sink, clock::system_clock());
  return run_in_foreground(supervisor, std::move(settings), sink);
}

std::string indented(const std::string& document) {
  auto parsed = schema::parse_json(document);
  if (!parsed) return document;  // the supervisor has checked it: does not happen
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  parsed->Accept(writer);
  return buffer.GetString();
}

}  // namespace pganalytics::collector
