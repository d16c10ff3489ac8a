// The directories whose file system is told by name: those of the configuration, and those that the server names.
//
// Here: which ones. Not here: asking the server (server_places.h), asking the file systems (statvfs_probe.h). Pure, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/disk/server_places.h"

namespace pganalytics::disk {

struct Directory {
  std::string name, path;
  bool from_server = false;
  std::optional<std::int64_t> files, bytes;  // in it, where the server says so
};

// By name. Of one that both name, what the configuration says.
std::vector<Directory> directories_of(const std::map<std::string, std::string>& configured,
                                      const std::vector<ServerPlace>& of_server);

}  // namespace pganalytics::disk
