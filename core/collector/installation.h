// Where the parts of this installation lie: found from the program's own place, so that a build tree, /usr and /opt work alike.
//
// Here: worker, programs, plugin folders, templates. Not here: what the configuration says. [main thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

constexpr const char* kDefaultConfigFile = "/etc/pganalytics/pganalytics.toml";

// PGANALYTICS_WORKER of the environment, else ../libexec/pganalytics/pganalytics-worker seen from the program, else the installed
// one.
std::string worker_path();

// The folder of the worker, of the checker, and of the programs that plugins bring (plugin_programs.h): ../libexec/pganalytics
// seen from the program, else the installed one.
std::string program_folder();

// The folder above the program's: the build tree, /usr, /opt/pganalytics.
std::string installation_prefix();

// Existing folders of: ../lib/pganalytics/plugins seen from the program, the installed one, and the site's own in /usr/local.
std::vector<std::string> default_plugin_dirs();

// The folder that has a template project per language: ../share/pganalytics/template seen from the program, else the installed
// one. PGA_E_NOTFOUND if the SDK is not installed.
Expected<std::string> template_dir();

}  // namespace pganalytics::collector
