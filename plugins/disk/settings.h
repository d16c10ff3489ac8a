// The configuration as typed values: config.schema.json's object in, Settings out.
//
// The host has validated the object and filled in defaults; a plugin alone under test has the same defaults here. Pure; called
// from configure().
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/postgres/read_only_session.h"
#include "plugins/disk/mounts.h"

namespace pganalytics::disk {

struct Settings {
  std::string proc_path = "/proc";
  std::string sys_path = "/sys";
  MountFilter filter;
  std::vector<std::string> exclude_devices;        // globs
  std::map<std::string, std::string> directories;  // name to path
  std::chrono::milliseconds mount_timeout{2000};
  std::string conninfo;                        // empty: no server is asked
  std::optional<std::string> password_secret;  // its name, not its value
  std::chrono::milliseconds server_interval{std::chrono::minutes(10)};
};

Expected<Settings> parse_settings(std::string_view config_json);

// How the server is asked. Password and deadline are for the run to add.
postgres::ReadOnlySession::Profile session_profile(const Settings& settings, const std::string& product_version);

// Of a key of the configuration.
Error config_error(const char* key, const std::string& why);

}  // namespace pganalytics::disk
