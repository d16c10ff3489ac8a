#include "plugins/disk/directories.h"

#include <utility>

namespace pganalytics::disk {

std::vector<Directory> directories_of(const std::map<std::string, std::string>& configured,
                                      const std::vector<ServerPlace>& of_server) {
  std::map<std::string, Directory> by_name;
  for (const ServerPlace& place : of_server) by_name[place.name] = {place.name, place.path, true, place.files, place.bytes};
  for (const auto& [name, path] : configured) {
    Directory& directory = by_name[name];  // what the server counts in it stays
    directory.name = name;
    directory.path = path;
    directory.from_server = false;
  }
  std::vector<Directory> directories;
  for (auto& each : by_name) directories.push_back(std::move(each.second));
  return directories;
}

}  // namespace pganalytics::disk
