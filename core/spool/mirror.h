// What the main thread asks the spool, kept in memory, so that no disk can make it wait.
//
// Private to core/spool. States and values are here as of the last call that changed them, whether or not they are on the disk
// yet; figures and losses as of the storage thread's last step. [any thread]
#pragma once

#include "core/spool/spool.h"

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::spool {

using PluginStates = std::map<std::string, std::map<std::string, std::string>>;

class Mirror {
 public:
  // What is on the disk, beneath what was set here already.
  void load(PluginStates&& states, std::map<std::string, std::string>&& values);

  void sealed(const SealedRun& run);          // its state holds now; its losses are told
  void ended(const std::vector<Loss>& told);  // that run is kept: who told what stands in the books
  void set_value(const std::string& key, const std::optional<std::string>& value);
  void publish(const SpoolStatus& status, std::vector<Loss>&& losses);

  [[nodiscard]] std::map<std::string, std::string> state_of(const std::string& plugin) const;
  [[nodiscard]] std::optional<std::string> value(const std::string& key) const;
  [[nodiscard]] std::vector<Loss> losses() const;
  [[nodiscard]] SpoolStatus status() const;

 private:
  mutable std::mutex mutex_;
  // nullopt: removed, which what the disk has must not undo.
  std::map<std::string, std::map<std::string, std::optional<std::string>>> states_;
  std::map<std::string, std::optional<std::string>> values_;
  std::vector<Loss> losses_;
  std::multiset<std::int64_t> told_;  // by runs that are not kept yet
  SpoolStatus status_;
};

}  // namespace pganalytics::spool
