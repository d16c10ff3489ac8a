// The configuration as typed values: config.schema.json's object in, Settings out.
//
// The host has validated the object and filled in defaults; here is what a schema cannot say (lock_timeout's ceiling, that
// conninfo parses). Pure; called from configure().
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/read_only_session.h"

namespace pganalytics::pg_stats {

struct Settings {
  std::string conninfo;
  std::optional<std::string> password_secret;  // its name, not its value
  std::vector<std::string> databases;          // globs
  std::vector<std::string> exclude_databases;  // globs
  std::size_t rows_max = 0;                    // of one family in one database
  std::size_t connections_max = 1;
  double budget_percent = 1;  // of one core
  std::chrono::milliseconds full_interval{};
  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds statement_timeout{};
  std::chrono::milliseconds lock_timeout{};

  // What the operator says of a family; nullopt: its own default.
  struct OfFamily {
    bool enabled = true;
    std::optional<std::chrono::milliseconds> interval;
  };
  std::map<std::string, OfFamily> families;

  [[nodiscard]] bool selects(const std::string& database) const;
  // The names in `databases` that are no patterns: each is a promise to report on that database.
  [[nodiscard]] std::vector<std::string> named_databases() const;
};

Expected<Settings> parse_settings(std::string_view config_json);

// How its sessions are opened. Password and deadline are for the run to add.
postgres::ReadOnlySession::Profile session_profile(const Settings& settings, const std::string& product_version);

}  // namespace pganalytics::pg_stats
