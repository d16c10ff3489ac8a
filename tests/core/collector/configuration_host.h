// What configuration_test.cpp happens in: a collector without its command line, files and network. Real workers, a real spool,
// and a server that says what the test says.
#pragma once

#include "core/collector/configuration.h"
#include "tests/support/must.h"

#include <sqlite3.h>
#include <algorithm>
#include <chrono>

namespace pganalytics::collector_test {

using collector::Catalogue;
using collector::Configuration;
using testing::must;
using Plugins = std::vector<std::string>;
inline const Plugins kBoth = {"logs", "test_counter"};

inline const Catalogue& catalogue_of(const Plugins& plugins) {
  static std::map<Plugins, Catalogue> known;
  if (const auto found = known.find(plugins); found != known.end()) return found->second;
  std::vector<host::Candidate> candidates;
  for (const std::string& plugin : plugins) candidates.push_back(host::examine_plugin(TEST_PLUGIN_DIR "/" + plugin + ".so"));
  return known.emplace(plugins, Catalogue::of(std::move(candidates), WORKER_PATH)).first->second;
}

class Host : public host::RunSink {
 public:
  // seal_wait_ms: 0 makes every disk one that has not answered yet.
  Host(const std::string& folder, const std::string& local, const Plugins& plugins = kBoth, const std::string& id = "us",
       std::int64_t seal_wait_ms = 100)
      : folder_(folder), id_(id) {
    spool::SpoolOptions options;
    options.keep_free_bytes = 0;
    options.pace.retry_ms = 50;
    options.pace.pause_ms = 1;
    options.pace.seal_wait_ms = seal_wait_ms;
    spool_ = must(spool::Spool::open(folder_, options));
    host::SupervisorOptions workers;
    workers.worker_path = WORKER_PATH;
    workers.grace_ms = 200;
    supervisor_ = std::make_unique<host::Supervisor>(workers, *this, clock::system_clock());
    configuration_ = std::make_unique<Configuration>(*supervisor_, *spool_, [this](const transport::ConfigReport& report) {
      said = std::to_string(report.version) + " " + report.state;
      reason = report.reason;
    });
    must(configuration_->begin(config(local), catalogue_of(plugins), id_));
  }
  void stop() {
    configuration_->end();
    supervisor_->stop(5'000);
  }
  void reload(const std::string& local, const Plugins& plugins = kBoth) {
    must(configuration_->replace_local(config(local), catalogue_of(plugins), id_));
  }

  void give(const std::string& body) { configuration_->offer({body, ""}); }
  // Turns until the server is told that.
  bool hears(const std::string& what) {
    return turns_until([&] { return said == what; });
  }
  // A document that has proven itself.
  void proves(int version, const std::string& body) {
    give(body);
    if (!hears(std::to_string(version) + " applied")) throw std::runtime_error(said + " " + reason);
  }
  bool turns_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      turn();
    }
    return true;
  }
  void turn() {
    supervisor_->turn(std::min<std::int64_t>(configuration_->wait_ms(), 20));
    configuration_->turn(delivery());
  }
  [[nodiscard]] std::uint64_t in_force() const { return configuration_->in_force().remote_version; }
  [[nodiscard]] bool on_trial() const { return configuration_->on_trial(); }
  [[nodiscard]] std::int64_t interval_ms(const std::string& plugin) const {
    return configuration_->in_force().plugins.at(plugin).interval_ms.value_or(0);
  }
  [[nodiscard]] std::string spool_mode() const { return must(spool_->status()).mode; }
  [[nodiscard]] std::uint64_t runs(const std::string& plugin) const { return health_of(plugin).runs; }
  [[nodiscard]] std::uint64_t failed_runs(const std::string& plugin) const { return health_of(plugin).failed_runs; }

  enum class Server { kTakes, kRefuses, kIsAway } server = Server::kTakes;
  std::string said, reason;  // the newest report

  Outcome run_finished(host::RunReport&& report) override {
    configuration_->run_ended(report);
    if (report.failed) return {};
    spool::SealedRun run;
    run.plugin = report.plugin;
    run.documents = std::move(report.documents);
    PGA_TRY(const std::uint64_t seq, spool_->seal(std::move(run)));
    PGA_TRY(const spool::SpoolStatus status, spool_->status());
    sealed_ = {status.epoch, seq, ""};
    if (seq != 0) configuration_->batch_sealed(sealed_);
    return {};
  }
  Expected<std::map<std::string, std::string>> state_of(const std::string&) override {
    return std::map<std::string, std::string>();
  }
  Expected<std::optional<std::string>> secret(const std::string&, const std::string&) override {
    return std::optional<std::string>();
  }
  std::map<std::string, std::string> facts() override { return {}; }

 private:
  [[nodiscard]] host::PluginHealth health_of(const std::string& plugin) const {
    for (auto& each : supervisor_->health()) {
      if (each.plugin == plugin) return each;
    }
    return {};
  }
  [[nodiscard]] config::CollectorConfig config(const std::string& local) const {
    return must(config::load_text(
        "[collector]\nname = \"db1\"\nconfig_probation = \"1s\"\nstate_dir = \"" + folder_ + "\"\n" + local, "c.toml"));
  }
  [[nodiscard]] transport::DeliveryStatus delivery() const {
    transport::DeliveryStatus status;
    if (server == Server::kTakes) status.newest_acknowledged = sealed_;
    if (server == Server::kRefuses) {
      status.newest_refused = sealed_;
      status.refused_reason = "not packed like this";
    }
    return status;
  }

  const std::string folder_, id_;
  spool::BatchKey sealed_;
  std::unique_ptr<spool::Spool> spool_;
  std::unique_ptr<host::Supervisor> supervisor_;
  std::unique_ptr<Configuration> configuration_;
};

// Keeps everybody else from writing into the spool's file, as a full disk does; it can be read.
class FullDisk {
 public:
  explicit FullDisk(const std::string& folder) {
    if (sqlite3_open((folder + "/spool.db").c_str(), &file_) != SQLITE_OK ||
        sqlite3_exec(file_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(file_));
  }
  ~FullDisk() { sqlite3_close(file_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  sqlite3* file_ = nullptr;
};

}  // namespace pganalytics::collector_test
