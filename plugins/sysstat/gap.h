// What the document had to leave null, and why. Plain values; filled by the parsers and readers, written by sysstat.cpp.
#pragma once

#include <string>
#include <vector>

namespace pganalytics::sysstat {

// A value that the document has to leave null, and why: an entry of its "errors".
struct Gap {
  std::string part;       // the key of the document: "memory"
  std::string code;       // stable token: "proc.unreadable", "proc.incomplete"
  std::string message;    // for people
  std::string hint;       // what they can do about it; empty: nothing
  bool optional = false;  // most do well without: no illness in `pganalytics doctor`
};
using Gaps = std::vector<Gap>;

}  // namespace pganalytics::sysstat
