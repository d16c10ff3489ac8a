// What the document could not be told, and why. Plain values; filled by the parsers (mounts.h, diskstats.h), written by disk.cpp.
#pragma once

#include <string>
#include <vector>

namespace pganalytics::disk {

// Something the document does not say, and why: an entry of its "errors".
struct Gap {
  std::string part;         // the key of the document: "filesystems", "devices"
  std::string mount_point;  // of the file system, or the directory, that it is about; empty: of none in particular
  std::string code;         // stable token: "disk.hung"
  std::string message;      // for people
  std::string hint = "";    // what they can do about it; empty: nothing
  bool optional = false;    // most do well without: no illness in `pganalytics doctor`
};
using Gaps = std::vector<Gap>;

}  // namespace pganalytics::disk
