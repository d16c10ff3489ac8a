// Commands that plugins bring: `pganalytics X` runs the program `pganalytics-X` that lies beside the worker.
//
// A plugin is a library that a worker loads; what people do with it at a terminal (reading a file once, a report) is a program of
// its own, installed with it. Here: which there are, whether they may run in our name, running one. Not here: what they do, and
// the commands of the collector itself, which come first (main.cpp). docs/decisions/013-programs-of-plugins.md says why. [main
// thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::collector {

// The X of each pganalytics-X in `folder` that could be run, sorted: a small letter, then small letters, digits, '_' and '-'.
// Without the collector's own parts. Trust is not looked at.
std::vector<std::string> commands_of_plugins(const std::string& folder);

// The program of `command`. PGA_E_NOTFOUND: there is none in `folder`; PGA_E_DENIED: it is there, but somebody other than root
// and this process' user could have put it there (host::check_trusted_path).
Expected<std::string> program_of_plugin(const std::string& folder, const std::string& command);

// Becomes the program, with these words behind its name: it has this process' standard streams, environment and exit code.
// Returns only if that failed.
Error become_program(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace pganalytics::collector
