// Runs that somebody waits for: `once` and `plugin run`.
//
// The workers, limits and checks of `run`, without its schedule: plugins run now, once or at a pace, until it is enough or a
// signal ends it in order. Here: the rounds, and what every sink of such runs has. Not here: what becomes of documents and state
// (the commands). [main thread]
#pragma once

#include "core/collector/plugin_facts.h"
#include "core/collector/wake_signals.h"
#include "core/config/collector_config.h"
#include "core/host/supervisor.h"

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

class ForegroundSink : public host::RunSink {
 public:
  // `config` outlives the sink.
  ForegroundSink(const config::CollectorConfig& config, std::string collector_id)
      : config_(config), collector_id_(std::move(collector_id)) {}

  Outcome run_finished(host::RunReport&& report) final;
  Expected<std::optional<std::string>> secret(const std::string& plugin, const std::string& name) final;
  std::map<std::string, std::string> facts() final { return facts_of(config_, collector_id_); }

  [[nodiscard]] std::size_t ended() const { return ended_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }
  // Runs that end from now on are cancelled ones, of which nothing is told or counted.
  void close() { closed_ = true; }

 private:
  virtual void tell(const host::RunReport& /*report*/) {}  // each run
  virtual Outcome keep(host::RunReport&& report) = 0;      // one that succeeded

  const config::CollectorConfig& config_;
  const std::string collector_id_;
  std::size_t ended_ = 0, failed_ = 0;
  bool closed_ = false;
};

struct Pace {
  std::int64_t every_ms = 0;  // 0: the next round follows at once
  std::uint64_t rounds = 1;   // 0: until a signal
};

// Runs every plugin that the supervisor was given, round after round; what ends it early is a signal or a run that never ends.
// How many runs were begun and did not end; those that a signal cut off are not among them. The supervisor is stopped after it.
std::size_t run_in_foreground(host::Supervisor& supervisor, std::vector<host::PluginSettings> settings, ForegroundSink& sink,
                              const Pace& pace = {}, const WakeSignals* wake = nullptr);

// The same with a supervisor of its own: one round.
std::size_t run_in_foreground(std::vector<host::PluginSettings> settings, ForegroundSink& sink);

// The document with indentation, for people.
std::string indented(const std::string& document);

}  // namespace pganalytics::collector
