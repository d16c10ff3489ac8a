// Who may start and stop the private cluster: one process at a time, and whether it is a server.
#pragma once

#include "core/files/file_lock.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

// The lock says in its file whether the holder is a server. nullopt: somebody else has it.
Expected<std::optional<files::FileLock>> try_lock_cluster(const std::string& path, bool as_server);
// Only meaningful right after try_lock_cluster() gave nullopt.
bool locked_by_server(const std::string& path);

}  // namespace pganalytics::server::program
