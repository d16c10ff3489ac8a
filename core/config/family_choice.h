// Which families of rows are wanted, by the names that plugins' output schemas give them. Pure. [any thread]
#pragma once

#include <string>
#include <vector>

namespace pganalytics::config {

// Globs (fnmatch(3)): those that one of include fits and none of exclude.
struct FamilyChoice {
  std::vector<std::string> include = {"*"};
  std::vector<std::string> exclude;
  [[nodiscard]] bool takes(const std::string& family) const;
};
inline bool operator==(const FamilyChoice& a, const FamilyChoice& b) { return a.include == b.include && a.exclude == b.exclude; }

}  // namespace pganalytics::config
