// The server's configuration document laid over the local one.
//
// Remote may switch plugins on and off and change intervals and plugins' keys, as far as the local configuration does not pin
// them; it may not name paths, connection strings or secrets, nor make instances: what one reads is the operator's to say. All of
// the document is taken or none. Pure. [main thread]
#pragma once

#include "core/config/collector_config.h"
#include "core/config/plugin_config.h"

#include <pganalytics/expected.hpp>
#include <string_view>
#include <vector>

namespace pganalytics::config {

// PGA_E_CONFIG names the key ("remote configuration: intervals.pg_statz: ..."). What comes out is still to be resolved plugin by
// plugin (plugin_config.h) before it may run.
Expected<CollectorConfig> apply_remote(const CollectorConfig& local, std::string_view document,
                                       const std::vector<KnownPlugin>& known);

}  // namespace pganalytics::config
