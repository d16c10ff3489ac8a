#include "tests/core/host/test_sink.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/files/files.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

namespace pganalytics::host {

Outcome TestSink::run_finished(RunReport&& report) {
  if (refuse && !report.failed) return Error{PGA_E_LIMIT, "sink.full", "the disk is full", "", 0};
  for (const auto& [key, value] : report.state) {
    if (value) {
      state[report.plugin][key] = *value;
    } else {
      state[report.plugin].erase(key);
    }
  }
  reports.push_back(std::move(report));
  return {};
}

Expected<std::optional<std::string>> TestSink::secret(const std::string&, const std::string& name) {
  if (name == "password") return std::optional<std::string>("hunter2");
  return Error{PGA_E_FAIL, "test.secret", "no other name may reach the sink", "", 0};
}

Expected<std::optional<std::string>> TestSink::quarantine_of(const std::string& plugin) {
  if (!quarantine_readable) return Error{PGA_E_FAIL, "test.disk", "the disk is broken", "", 0};
  const auto found = quarantines.find(plugin);
  if (found == quarantines.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

Outcome TestSink::keep_quarantine(const std::string& plugin, const std::optional<std::string>& record) {
  if (record) {
    quarantines[plugin] = *record;
  } else {
    quarantines.erase(plugin);
  }
  return {};
}

std::vector<RunReport> TestSink::of(const std::string& plugin) const {
  std::vector<RunReport> found;
  for (const RunReport& report : reports) {
    if (report.plugin == plugin) found.push_back(report);
  }
  return found;
}

std::size_t TestSink::good_runs(const std::string& plugin) const {
  std::size_t count = 0;
  for (const RunReport& report : reports) count += report.plugin == plugin && !report.failed ? 1 : 0;
  return count;
}

const PluginInfo& info_of(const std::string& id) {
  static std::map<std::string, PluginInfo> known;
  if (known.count(id) == 0) {
    auto info = describe({std::string(TEST_PLUGIN_DIR) + "/" + id + ".so", id, std::nullopt}, WORKER_PATH);
    if (!info) FAIL(info.error().message);
    known[id] = *info;
  }
  return known[id];
}

PluginInfo another_build_of(const std::string& id) {
  static const testing::TemporaryFolder folder;
  const PluginInfo& info = info_of(id);
  std::string build_id;
  for (std::size_t i = 0; i < info.build_id.size(); i += 2) {
    build_id += static_cast<char>(std::stoi(info.build_id.substr(i, 2), nullptr, 16));
  }
  auto bytes = files::read(info.path, 64u << 20);
  if (!bytes) FAIL(bytes.error().message);
  const std::size_t at = bytes->find(build_id);
  REQUIRE(at != std::string::npos);
  (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1);
  const std::string path = folder.path() + "/" + id + ".so";
  REQUIRE(files::write_atomically(path, *bytes, 0644));
  auto rebuilt = describe(examine_plugin(path), WORKER_PATH);
  if (!rebuilt) FAIL(rebuilt.error().message);
  REQUIRE(rebuilt->build_id != info.build_id);
  return *rebuilt;
}

PluginSettings settings_of(const std::string& id, const std::string& config_json, std::int64_t interval_ms,
                           std::int64_t timeout_ms) {
  PluginSettings settings;
  settings.info = info_of(id);
  settings.instance = id;
  settings.config_json = config_json;
  settings.secret_names = {"password"};
  settings.interval_ms = interval_ms;
  settings.timeout_ms = timeout_ms != 0 ? timeout_ms : interval_ms;
  return settings;
}

SupervisorOptions test_options() {
  SupervisorOptions options;
  options.worker_path = WORKER_PATH;
  options.jitter_seed = "test";
  options.document_bytes_max = 64 * 1024;
  options.grace_ms = 300;
  return options;
}

bool turn_until(Supervisor& supervisor, const std::function<bool()>& done, std::int64_t limit_ms) {
  const std::int64_t deadline_ns = clock::now_monotonic_ns() + limit_ms * 1'000'000;
  while (!done()) {
    if (clock::now_monotonic_ns() > deadline_ns) return false;
    REQUIRE(supervisor.turn(50));
  }
  return true;
}

PluginHealth health_of(const Supervisor& supervisor, const std::string& plugin) {
  for (const PluginHealth& health : supervisor.health()) {
    if (health.plugin == plugin) return health;
  }
  return {};
}

bool is_running(std::int64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return stat >> number >> name >> state && state != "Z" && state != "X";
}

std::int64_t number_in(const std::string& document, const std::string& key) {
  const std::size_t found = document.find("\"" + key + "\":");
  if (found == std::string::npos) FAIL("no " + key + " in " + document);
  return std::atoll(document.c_str() + found + key.size() + 3);
}

}  // namespace pganalytics::host
