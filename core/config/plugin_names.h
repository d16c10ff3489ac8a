// The names that plugins go by in configuration.
//
// Here: the aliases that hold whether or not the plugin is installed. A plugin's own aliases are in its descriptor (KnownPlugin).
#pragma once

#include <string>
#include <string_view>

namespace pganalytics::config {

// "pg_logs", "pg_log" -> "logs"; "disk_usage" -> "disk"; anything else as it is. Of an instance's name ("pg_logs@prod2", see
// core/instance) the plugin's part alone is looked at.
std::string canonical_plugin_name(std::string_view name);

}  // namespace pganalytics::config
