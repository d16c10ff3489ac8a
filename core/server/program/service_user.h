// Root gives up being root: the server and its PostgreSQL run as an ordinary user (PostgreSQL refuses anything else).
//
// [main thread, before any other thread exists]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

// Makes sure that `data_dir` exists (0700) and, when running as root, that it belongs to `wanted` (or, if that is empty, to
// "pganalytics", else "postgres"), and becomes that user for good. Not as root: only makes the folder.
// PGA_E_CONFIG with a HINT when there is no such user; PGA_E_DENIED when the folder cannot be entered or is somebody else's.
Outcome become_service_user(const std::string& wanted, const std::string& data_dir);

}  // namespace pganalytics::server::program
