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
// A severity of PostgreSQL's log, a class of its events or an exclusion of one (core/config/log_filters.h), in its one form.
Expected<std::string> read_log_filter(const rapidjson::Value& value, const std::string& path);
// true, false, "zstd" or "gzip".
Outcome check_compression(const rapidjson::Value& value);
Outcome check_retention_days(const rapidjson::Value& value);
Outcome check_backup_interval(const rapidjson::Value& value);

// A refusal because only the operator of the collector's host may set the key: Error::code "config.host_only".
Error host_only_error(std::string_view path);
// Refuses connections, paths, commands, SQL, addresses and secrets (core/config/host_only_keys.h) anywhere inside `value`.
Outcome check_remote_may_set(const rapidjson::Value& value, const std::string& path);

}  // namespace pganalytics::server::api
