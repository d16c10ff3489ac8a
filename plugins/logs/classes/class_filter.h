// Which classes the configuration wants: globs over their names, decided once for each row of the table. Immutable; any thread.
#pragma once

#include <cstddef>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

// Does "lock.*" fit "lock.deadlock"? A '*' is any number of characters; the rest is as it is.
bool fits_glob(std::string_view glob, std::string_view name);

// Before a glob: that it fits no class here is no error. The server's globs have it, since its collectors may know fewer classes.
inline constexpr char kMayFitNothing = '?';

class ClassFilter {
 public:
  // Of no class.
  ClassFilter() = default;

  // Those that one of `wanted` fits and none of `excluded`; "other" is an entry of no class. PGA_E_CONFIG for a glob that fits no
  // class, which is a slip of the pen, unless kMayFitNothing stands before it.
  static Expected<ClassFilter> compile(const std::vector<std::string>& wanted, const std::vector<std::string>& excluded);

  // By class_number().
  [[nodiscard]] bool wants(std::size_t class_number) const { return class_number < wanted_.size() && wanted_[class_number]; }

  // The globs that may fit nothing and do, without their mark.
  [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  std::vector<bool> wanted_;
  std::vector<std::string> unknown_;
};

}  // namespace pganalytics::logs
