// Programs started by the server: PostgreSQL's, in sessions of their own so that a Ctrl-C at our terminal does not reach them.
#pragma once

#include <sys/types.h>

#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::program {

// Starts arguments[0] (a path) with no standard input and no other descriptor of ours; what it writes is appended to `log_file`.
// Returns its process id.
Expected<pid_t> spawn(const std::vector<std::string>& arguments, const std::string& log_file);

// The same, and waits: the exit status, 128 + n if signal n ended it.
Expected<int> run_to_end(const std::vector<std::string>& arguments, const std::string& log_file);

// True once our child `pid` has ended (it is then reaped). False while it runs, and for processes that are not our children.
bool has_ended(pid_t pid);

}  // namespace pganalytics::server::program
