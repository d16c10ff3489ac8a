#include "core/collector/trial.h"

#include <algorithm>
#include <limits>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTimeoutsAllowed = 3;  // two runs that take all their time, and the way there
constexpr std::int64_t kAsksPerTrial = 6;

const host::PluginHealth* find(const std::vector<host::PluginHealth>& health, const std::string& plugin) {
  const auto found = std::find_if(health.begin(), health.end(), [&](const auto& each) { return each.plugin == plugin; });
  return found == health.end() ? nullptr : &*found;
}

std::string seconds(std::int64_t ms) { return std::to_string((ms + 999) / 1'000) + " s"; }

// Of the same epoch; a batch of a newer epoch was sealed later, whatever its number.
bool is_not_before(const spool::BatchKey& key, const spool::BatchKey& first) {
  return key.seq != 0 && key.epoch == first.epoch && key.seq >= first.seq;
}

}  // namespace

Trial::Trial(std::vector<Touched> touched, std::int64_t now_ms, std::int64_t limit_ms, bool other_encoding)
    : touched_(std::move(touched)), began_ms_(now_ms), limit_ms_(limit_ms), deadline_ms_(0), other_encoding_(other_encoding) {
  std::int64_t slowest_ms = 0;
  for (const Touched& each : touched_) slowest_ms = std::max(slowest_ms, each.timeout_ms);
  deadline_ms_ = now_ms + std::max(limit_ms, kTimeoutsAllowed * slowest_ms);
}

void Trial::run_ended(const std::string& plugin, std::int64_t began_ms, const std::optional<Error>& failed) {
  if (began_ms < began_ms_) return;
  for (Touched& touched : touched_) {
    if (touched.plugin != plugin) continue;
    if (failed) {
      ++touched.failed;
      touched.last_failure = failed->message;
    } else {
      ++touched.good;
      touched.failed = 0;
    }
  }
}

void Trial::sealed(const spool::BatchKey& key) {
  // After a rotation the old epoch's batches still come through, but what is sealed now is of the new one.
  if (!first_sealed_ || first_sealed_->epoch != key.epoch) first_sealed_ = key;
}

void Trial::delivered(const transport::DeliveryStatus& delivery) {
  if (!first_sealed_) return;
  pushed_ = pushed_ || is_not_before(delivery.newest_acknowledged, *first_sealed_);
  if (!pushed_ && is_not_before(delivery.newest_refused, *first_sealed_)) refused_ = delivery.refused_reason;
}

// nullopt: its schedule is enough, or it has had its runs.
std::optional<std::int64_t> Trial::asks_at_ms(const Touched& touched) const {
  if (!waits_for(touched) || kGoodRuns * touched.interval_ms + touched.timeout_ms <= limit_ms_) return std::nullopt;
  return touched.asked_at_ms == 0 ? began_ms_ : touched.asked_at_ms + limit_ms_ / kAsksPerTrial;
}

std::vector<std::string> Trial::runs_to_ask_for(std::int64_t now_ms) {
  std::vector<std::string> plugins;
  for (Touched& touched : touched_) {
    const auto at_ms = asks_at_ms(touched);
    if (!at_ms || now_ms < *at_ms) continue;
    touched.asked_at_ms = now_ms;
    plugins.push_back(touched.plugin);
  }
  return plugins;
}

std::optional<std::string> Trial::objection_of(const Touched& touched, const host::PluginHealth& health) {
  if (health.config_refused) return health.last_error;
  if (!touched.worked_before) return std::nullopt;
  if (health.faults > touched.faults || health.state == "hung" || health.state == "quarantined") {
    return health.last_error.empty() ? "its worker was lost" : health.last_error;
  }
  if (health.state == "failed") return health.last_error;
  if (touched.failed >= kFailedRunsInARow)
    return std::to_string(touched.failed) + " runs in a row failed: " + touched.last_failure;
  return std::nullopt;
}

std::optional<std::string> Trial::objection(const std::vector<host::PluginHealth>& health, std::int64_t now_ms) const {
  for (const Touched& touched : touched_) {
    const host::PluginHealth* const found = find(health, touched.plugin);
    if (found == nullptr) continue;  // switched off again by the local configuration
    if (auto why = objection_of(touched, *found)) return "plugin " + touched.plugin + ": " + *why;
    if (waits_for(touched) && now_ms >= deadline_ms_) {
      return "plugin " + touched.plugin + ": " + std::to_string(touched.good) + " of " + std::to_string(kGoodRuns) +
             " good runs within " + seconds(deadline_ms_ - began_ms_) +
             (found->last_error.empty() ? "" : ", the last error was: " + found->last_error);
    }
  }
  if (other_encoding_ && !pushed_ && !refused_.empty())
    return "the server does not take batches that are compressed this way: " + refused_;
  return std::nullopt;
}

bool Trial::plugins_are_well() const {
  return std::none_of(touched_.begin(), touched_.end(), [this](const Touched& each) { return waits_for(each); });
}

std::int64_t Trial::next_ms() const {
  if (plugins_are_well()) return kNever;
  std::int64_t next_ms = deadline_ms_;
  for (const Touched& touched : touched_) {
    if (const auto at_ms = asks_at_ms(touched)) next_ms = std::min(next_ms, *at_ms);
  }
  return next_ms;
}

std::vector<Trial::Touched> touched_plugins(const std::vector<host::PluginSettings>& before,
                                            const std::vector<host::PluginSettings>& after,
                                            const std::vector<host::PluginHealth>& health) {
  std::vector<Trial::Touched> touched;
  for (const host::PluginSettings& now : after) {
    const auto was =
        std::find_if(before.begin(), before.end(), [&](const auto& settings) { return settings.instance == now.instance; });
    if (was != before.end() && was->config_json == now.config_json && was->interval_ms == now.interval_ms &&
        was->timeout_ms == now.timeout_ms)
      continue;
    Trial::Touched each;
    each.plugin = now.instance;
    each.interval_ms = now.interval_ms;
    each.timeout_ms = now.timeout_ms;
    if (const host::PluginHealth* const found = find(health, now.instance); was != before.end() && found != nullptr) {
      each.faults = found->faults;
      each.worked_before = found->last_error.empty();
    }
    touched.push_back(std::move(each));
  }
  return touched;
}

}  // namespace pganalytics::collector
