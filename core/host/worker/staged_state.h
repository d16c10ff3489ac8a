// A plugin's durable key/value as its worker sees it: what is committed, and what this run staged over it.
//
// Here: the rules of state_get() and state_set() in plugin.h. Not here: durability; the host commits, and says so by settle().
// One thread (the one that calls the plugin).
#pragma once

#include <pganalytics/plugin.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::worker {

class StagedState {
 public:
  using Changes = std::map<std::string, std::optional<std::string>>;  // nullopt deletes

  explicit StagedState(std::map<std::string, std::string> committed) : committed_(std::move(committed)) {}

  // NULL: there is no such key. Valid until the next change.
  [[nodiscard]] const std::string* get(const std::string& key) const;
  // nullopt deletes. PGA_E_FAIL for a key that is none, PGA_E_LIMIT.
  pga_status set(const std::string& key, std::optional<std::string_view> value);

  [[nodiscard]] const Changes& staged() const { return staged_; }
  // The run's changes are committed, or never were.
  void settle(bool committed);

 private:
  [[nodiscard]] std::size_t bytes_without(const std::string& key) const;

  std::map<std::string, std::string> committed_;
  Changes staged_;
};

}  // namespace pganalytics::worker
