#include "core/spool/mirror.h"

namespace pganalytics::spool {

void Mirror::load(PluginStates&& states, std::map<std::string, std::string>&& values) {
  const std::lock_guard guard(mutex_);
  for (auto& [plugin, state] : states) {
    for (auto& [key, value] : state) states_[plugin].try_emplace(key, std::move(value));
  }
  for (auto& [key, value] : values) values_.try_emplace(key, std::move(value));
}

void Mirror::sealed(const SealedRun& run) {
  const std::lock_guard guard(mutex_);
  for (const auto& [key, value] : run.state) states_[run.plugin][key] = value;
  for (const Loss& loss : run.reported_losses) told_.insert(loss.id);
}

void Mirror::ended(const std::vector<Loss>& told) {
  const std::lock_guard guard(mutex_);
  for (const Loss& loss : told) {
    if (const auto at = told_.find(loss.id); at != told_.end()) told_.erase(at);
  }
}

void Mirror::set_value(const std::string& key, const std::optional<std::string>& value) {
  const std::lock_guard guard(mutex_);
  values_[key] = value;
}

void Mirror::publish(const SpoolStatus& status, std::vector<Loss>&& losses) {
  const std::lock_guard guard(mutex_);
  status_ = status;
  losses_ = std::move(losses);
}

std::map<std::string, std::string> Mirror::state_of(const std::string& plugin) const {
  const std::lock_guard guard(mutex_);
  std::map<std::string, std::string> state;
  const auto found = states_.find(plugin);
  if (found == states_.end()) return state;
  for (const auto& [key, value] : found->second) {
    if (value) state.emplace(key, *value);
  }
  return state;
}

std::optional<std::string> Mirror::value(const std::string& key) const {
  const std::lock_guard guard(mutex_);
  const auto found = values_.find(key);
  return found == values_.end() ? std::nullopt : found->second;
}

std::vector<Loss> Mirror::losses() const {
  const std::lock_guard guard(mutex_);
  std::vector<Loss> losses;
  for (const Loss& loss : losses_) {
    if (told_.count(loss.id) == 0) losses.push_back(loss);
  }
  return losses;
}

SpoolStatus Mirror::status() const {
  const std::lock_guard guard(mutex_);
  return status_;
}

}  // namespace pganalytics::spool
