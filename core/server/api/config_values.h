// The values a configuration document is made of, each with its own rule. Pure functions. [any thread]
#pragma once

#include <rapidjson/document.h>

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::api {

// PGA_E_CONFIG "path: what is wrong", the form of every error here.
Error config_error(std::string_view path, std::string_view what);

// A duration string of 1 s to 1 d, or so many whole seconds; as the text of a duration.
Expected<std::string> read_interval(const rapidjson::Value& value, const std::string& path);
// A severity of PostgreSQL's log, in capitals.
Expected<std::string> read_severity(const rapidjson::Value& value, const std::string& path);
// true, false, "zstd" or "gzip".
Outcome check_compression(const rapidjson::Value& value);
Outcome check_retention_days(const rapidjson::Value& value);
Outcome check_backup_interval(const rapidjson::Value& value);

// Keys of a plugin that only the operator of its host may set: connections, paths, commands, secrets. The server does not have
// the plugins' schemas (the collector checks against those), so it goes by the name: "conninfo", "log_paths", "api_token", ...
bool is_host_only(std::string_view key);
// The same for everything inside `value`.
Outcome check_remote_may_set(const rapidjson::Value& value, const std::string& path);

}  // namespace pganalytics::server::api
