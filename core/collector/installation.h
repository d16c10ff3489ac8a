// Where the parts of this installation lie: found from the program's own place, so that a build tree, /usr and /opt work alike.
//
// Here: worker and plugin folders. Not here: what the configuration says. [main thread]
#pragma once

#include <string>
#include <vector>

namespace pganalytics::collector {

constexpr const char* kDefaultConfigFile = "/etc/pganalytics/pganalytics.toml";

// PGANALYTICS_WORKER of the environment, else ../libexec/pganalytics/pganalytics-worker seen from the program, else the installed
// one.
std::string worker_path();

// Existing folders of: ../lib/pganalytics/plugins seen from the program, then the installed one.
std::vector<std::string> default_plugin_dirs();

}  // namespace pganalytics::collector
