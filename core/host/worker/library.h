// A plugin's shared object in this process: loaded once, checked, never unloaded.
//
// Here: Boost.DLL, the entry symbol, and whether what it returned can be called at all. Not here: whether the plugin is wanted
// (the host decided before it started this worker), instances. [main thread]
#pragma once

#include <pganalytics/plugin.h>

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::worker {

// `path` absolute. `id`: the descriptor's must be the same. Codes "plugin.load", "plugin.entry", "plugin.refused",
// "plugin.table".
Expected<const pga_plugin*> load_plugin(const std::string& path, const std::string& id);

}  // namespace pganalytics::worker
