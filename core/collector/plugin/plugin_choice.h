// Which plugin the word on a command line means: an installed one's id or alias, the name of an instance of it, or a file.
//
// No more plugins are loaded than it takes to know: a file's or an id's own; all only for an alias. [main thread]
#pragma once

#include "core/collector/catalogue.h"

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

// A word with a slash in it or ".so" at its end is a file.
bool names_file(const std::string& word);

// What has to be known to find `word`.
Catalogue catalogue_for(const std::string& word, const std::vector<std::string>& plugin_dirs, const std::string& worker_path);

// The plugin that `word` means; why there is none, or why its file is refused.
Expected<host::PluginInfo> chosen_plugin(const Catalogue& catalogue, const std::string& word);

}  // namespace pganalytics::collector
