// The spool as others see it: read-only, beside a running collector, without its lock.
//
// For `status` and `once`. Each call reads what is committed at that moment. Not here: changing anything. [one thread at a time]
#pragma once

#include "core/spool/spool.h"
#include "core/spool/sqlite.h"

#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

struct Tally;

class SpoolView {
 public:
  // PGA_E_NOTFOUND when `dir` has no spool; PGA_E_DENIED when it may not be read.
  static Expected<SpoolView> open(const std::string& dir);

  Expected<std::map<std::string, std::string>> state_of(const std::string& plugin);
  Expected<std::optional<std::string>> value(const std::string& key);
  Expected<SpoolStatus> status();
  Expected<std::vector<Loss>> losses();

 private:
  explicit SpoolView(Database&& database) : database_(std::move(database)) {}
  Database database_;
};

// What the view and the spool itself read alike.
constexpr const char* kSelectState = "SELECT key, value, crc FROM state WHERE plugin = ?1";
constexpr const char* kSelectValue = "SELECT value, crc FROM value WHERE key = ?1";
Expected<std::map<std::string, std::string>> read_state(Statement& select_by_plugin, const std::string& plugin);
Expected<std::optional<std::string>> read_value(Statement& select_by_key, const std::string& key);
SpoolStatus status_of(const Tally& tally, std::int64_t oldest_unix_ns);

}  // namespace pganalytics::spool
