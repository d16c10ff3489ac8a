// Configuration: the local one, and putting a whole in force. The server's documents are in configuration_remote.cpp.
#include "core/collector/configuration.h"

#include "core/clock/clock.h"
#include "core/config/remote_overlay.h"
#include "core/log/log.h"

#include <algorithm>
#include <limits>

namespace pganalytics::collector {
namespace {

constexpr double kPaceBurst = 5;
constexpr std::int64_t kLongestWaitMs = 3'600'000;
constexpr std::int64_t kPushLookMs = 250;  // for what delivery does on its own thread
constexpr std::int64_t kDiskLookMs = 250;  // and the spool on its

constexpr std::chrono::milliseconds kStartPatience{2'000};

std::int64_t monotonic_ms() { return clock::now_monotonic_ns() / 1'000'000; }

// Enabled plugins whose file is not used, as they are reported: nothing runs, but somebody wants them to.
std::vector<host::PluginHealth> refused_of(const config::CollectorConfig& config, const Catalogue& catalogue) {
  std::vector<host::PluginHealth> refused;
  for (const auto& [id, plugin] : config.plugins) {
    const Catalogue::Entry* const entry = plugin.enabled ? catalogue.find(id) : nullptr;
    if (entry == nullptr || !entry->refused) continue;
    host::PluginHealth health;
    health.plugin = id;
    health.state = "refused";
    health.last_error = entry->refused->message;
    refused.push_back(std::move(health));
  }
  return refused;
}

// So many documents at once, then one for each twelfth of a trial's time: every 10 s by default.
host::TokenBucket pace_for(std::int64_t probation_ms) { return {12'000.0 / static_cast<double>(probation_ms), kPaceBurst}; }

}  // namespace

Configuration::Configuration(host::Supervisor& supervisor, spool::Spool& spool, Report report)
    : supervisor_(supervisor), spool_(spool), report_(std::move(report)), pace_(pace_for(in_force_.config_probation_ms)) {}

Expected<Configuration::Prepared> Configuration::prepare(const config::CollectorConfig& local, const Catalogue& catalogue,
                                                         const RemoteDocument* remote) {
  Prepared prepared{local, {}};
  if (remote != nullptr) {
    PGA_TRY(prepared.effective, config::apply_remote(local, remote->body, catalogue.known()));
  }
  PGA_TRY(prepared.selection, select_enabled(prepared.effective, catalogue));
  return prepared;
}

void Configuration::put_in_force(Prepared prepared) {
  for (const Error& refused : prepared.selection.refused) log::write(log::Level::kError, "", refused);
  refused_ = refused_of(prepared.effective, catalogue_);
  settings_ = std::move(prepared.selection.settings);
  if (settings_.empty()) log::warn("no plugin is enabled: nothing will be collected");
  supervisor_.apply(settings_);
  spool_.set_encoding(prepared.effective.compression);
  in_force_ = std::move(prepared.effective);
}

Outcome Configuration::begin(config::CollectorConfig local, Catalogue catalogue, const std::string& collector_id) {
  // First of all: a local file that is wrong is wrong whatever the server says.
  PGA_CHECK(prepare(local, catalogue, nullptr));
  PGA_CHECK(recall(collector_id));
  local_ = std::move(local);
  catalogue_ = std::move(catalogue);
  pace_ = pace_for(local_.config_probation_ms);
  adopt(kStartPatience);
  return {};
}

void Configuration::adopt(std::chrono::milliseconds patience) {
  if (local_.backend && record_.probation) {
    resume_trial(patience);
  } else {
    fall_back_to_good();
  }
}

Outcome Configuration::replace_local(config::CollectorConfig local, Catalogue catalogue, const std::string& collector_id) {
  PGA_CHECK(prepare(local, catalogue, nullptr));
  const bool same_server = local_.backend && local.backend && collector_id == record_.collector_id;
  if (!same_server) {
    end();  // of what the server said, until it is there again
    PGA_CHECK(recall(collector_id));
    trial_.reset();
    rehearsing_.reset();
    remembered_.reset();
    offered_.reset();
  }
  local_ = std::move(local);
  catalogue_ = std::move(catalogue);
  pace_ = pace_for(local_.config_probation_ms);
  if (!same_server) {
    adopt(std::chrono::milliseconds(0));  // others are collected from meanwhile
  } else if (!trial_) {
    fall_back_to_good();
  } else if (auto prepared = prepare(local_, catalogue_, remote_in_force()); !prepared) {
    take_back("it does not fit the collector's own file any more: " + prepared.error().message);
  } else {
    trial_.emplace(trial_of(*prepared));  // what plugins did under the file before says nothing about it under this one
    put_in_force(std::move(prepared).value());
  }
  return {};
}

Configuration::Prepared Configuration::without_trial() const {
  for (const VersionedDocument& good : record_.good) {
    if (auto prepared = prepare(local_, catalogue_, &good.document)) return std::move(prepared).value();
  }
  auto alone = prepare(local_, catalogue_, nullptr);
  return alone ? std::move(alone).value() : Prepared{local_, {}};
}

void Configuration::run_ended(const host::RunReport& report) {
  // Rounded down, the duration would make a run begin a moment late.
  if (trial_) trial_->run_ended(report.plugin, monotonic_ms() - report.duration_ms - 1, report.failed);
}

void Configuration::batch_sealed(const spool::BatchKey& key) {
  if (trial_) trial_->sealed(key);
}

std::int64_t Configuration::wait_ms() const {
  const std::int64_t now_ms = monotonic_ms();
  std::int64_t wait_ms = kLongestWaitMs;
  if (trial_) wait_ms = std::min(wait_ms, trial_->plugins_are_well() ? kPushLookMs : trial_->next_ms() - now_ms);
  if (remembered_) wait_ms = std::min(wait_ms, kDiskLookMs);
  const bool waits_for_pace = offered_ && !rehearsing_ && (!trial_ || trial_->may_be_replaced());
  if (waits_for_pace) wait_ms = std::min(wait_ms, pace_.opens_ns() / 1'000'000 + 1 - now_ms);
  return std::max<std::int64_t>(wait_ms, 0);
}

}  // namespace pganalytics::collector
