// What the host's tests share: a sink that remembers, settings for a test plugin, turning until something has happened.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/host/supervisor.h"

namespace pganalytics::host {

class TestSink : public RunSink {
 public:
  Outcome run_finished(RunReport&& report) override;
  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin) override { return state[plugin]; }
  Expected<std::optional<std::string>> secret(const std::string& plugin, const std::string& name) override;
  Expected<std::optional<std::string>> quarantine_of(const std::string& plugin) override;
  Outcome keep_quarantine(const std::string& plugin, const std::optional<std::string>& record) override;
  std::map<std::string, std::string> facts() override { return {{"host.name", "\"db1\""}}; }

  // Reports of one plugin, in order.
  [[nodiscard]] std::vector<RunReport> of(const std::string& plugin) const;
  [[nodiscard]] std::size_t good_runs(const std::string& plugin) const;

  std::vector<RunReport> reports;
  std::map<std::string, std::map<std::string, std::string>> state;
  std::map<std::string, std::string> quarantines;
  bool quarantine_readable = true;
  bool refuse = false;  // run_finished() fails: the disk is full
};

// A test plugin as describe() sees it. Each is described once per test program.
const PluginInfo& info_of(const std::string& id);
// The same plugin with another build id, as if it had been compiled again.
PluginInfo another_build_of(const std::string& id);
PluginSettings settings_of(const std::string& id, const std::string& config_json, std::int64_t interval_ms,
                           std::int64_t timeout_ms = 0);
SupervisorOptions test_options();

// Turns until `done`; false when that took longer than limit_ms.
bool turn_until(Supervisor& supervisor, const std::function<bool()>& done, std::int64_t limit_ms = 20'000);
PluginHealth health_of(const Supervisor& supervisor, const std::string& plugin);
// A process that has neither ended nor become a zombie.
bool is_running(std::int64_t pid);

// The integer after "<key>": in a document.
std::int64_t number_in(const std::string& document, const std::string& key);

}  // namespace pganalytics::host
