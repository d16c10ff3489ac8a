// Keys that no remote configuration may set, known by their names: connections, paths, commands, SQL, addresses, trust, secrets.
//
// The collector also has the plugins' schemas, which mark such keys whatever they are called (remote_overlay.h); the server has
// only the names. Both go by this list, so that a plugin whose author forgot the mark is no way in. Pure. [any thread]
#pragma once

#include <string_view>

namespace pganalytics::config {

// "conninfo", "log_paths", "api_token", "pre_command": judged by the last word, case aside; "password", "secret" and
// "credential" count anywhere.
bool is_host_only_key(std::string_view key);

// The same for a top-level key of the remote document: tables and keys of the collector's own file ("backend", "state_dir") too.
bool is_host_only_section(std::string_view key);

}  // namespace pganalytics::config
