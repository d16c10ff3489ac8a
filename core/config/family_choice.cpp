#include "core/config/family_choice.h"

#include <fnmatch.h>

#include <algorithm>

namespace pganalytics::config {
namespace {

bool fits_one(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}

}  // namespace

bool FamilyChoice::takes(const std::string& family) const { return fits_one(include, family) && !fits_one(exclude, family); }

}  // namespace pganalytics::config
