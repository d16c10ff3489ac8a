// The document of a run: what came of each command, the numbers it printed, and what is wrong. [thread of collect()]
#pragma once

#include <pganalytics/json.hpp>
#include <string>
#include <vector>

#include "plugins/exec/crew.h"
#include "plugins/exec/reading.h"
#include "plugins/exec/settings.h"

namespace pganalytics::exec {

// `finished` in the order of `commands`. Entries that would make it larger than `bytes_max` are left out, and it says so.
std::string document_of(const std::vector<Command>& commands, const std::vector<Finished>& finished, const std::string& timestamp,
                        std::size_t bytes_max);

}  // namespace pganalytics::exec
