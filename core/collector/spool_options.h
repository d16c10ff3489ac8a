// How the configuration says to open the spool, and for whom.
//
// Here: one meaning for every command that writes to it. A command that opened it with other caps would drop what the
// configuration keeps; one that opened it for another collector would give new keys to what waits. [main thread]
#pragma once

#include "core/config/collector_config.h"
#include "core/spool/spool.h"

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

spool::SpoolCaps caps_of(const config::SpoolConfig& config);
spool::SpoolOptions spool_options(const config::CollectorConfig& config, const std::string& collector_id);

// Whose spool it is: the identity's id, "" before registration. Any other error of the identity is one.
Expected<std::string> spool_owner(const std::string& state_dir);

// For a command beside no collector: as above, and what it writes is on the disk when the call returns, or an error.
Expected<std::unique_ptr<spool::Spool>> open_spool_to_change(const config::CollectorConfig& config);

}  // namespace pganalytics::collector
