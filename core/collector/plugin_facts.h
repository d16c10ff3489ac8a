// What plugins may ask the host for beside their configuration: facts and secrets.
//
// Here: one meaning for `run` and `once`. [main thread]
#pragma once

#include "core/config/collector_config.h"

#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

std::string host_name();

// "host.name", "collector.id", "collector.name", "product.version" as JSON scalars. "plugin.instance" the supervisor knows.
std::map<std::string, std::string> facts_of(const config::CollectorConfig& config, const std::string& collector_id);

// A secret by name: $CREDENTIALS_DIRECTORY/<name> (systemd), else secrets/<name> beside the configuration file, which must be
// closed to others. The line's end is cut off. nullopt: there is none. PGA_E_DENIED when others could read it.
Expected<std::optional<std::string>> read_secret(const config::CollectorConfig& config, const std::string& name);

}  // namespace pganalytics::collector
