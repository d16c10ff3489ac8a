// [forward.NAME]: the engines that pushes are forwarded to (core/server/forward). Pure. [main thread]
#pragma once

#include "core/config/toml_reader.h"
#include "core/server/forward/destination.h"

#include <vector>

namespace pganalytics::server::program {

constexpr std::size_t kForwardsMost = 8;  // each is a thread and a connection to the database

// In the file's order. What is wrong is noted in `problems`.
std::vector<forward::Destination> read_forwards(config::TableReader& root, config::Problems& problems);

}  // namespace pganalytics::server::program
