// A plugin's configuration as a TOML file to begin with: every key with its meaning and a value, all of it commented out.
//
// Prose stands behind "# ", settings right behind "#": without that one character (sed 's/^#\([^ #]\)/\1/') it is a file that
// loads. Pure functions. [any thread]
#pragma once

#include "core/host/plugin_info.h"

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

// PGA_E_CONFIG when its configuration schema is no good.
Expected<std::string> config_example(const host::PluginInfo& plugin);

// A JSON value as TOML writes it, on one line. There is no null in TOML: its members are left out.
std::string to_toml(const rapidjson::Value& value);

}  // namespace pganalytics::collector
