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

class ClassFilter {
 public:
  // Of no class.
  ClassFilter() = default;

  // Those that one of `wanted` fits and none of `excluded`; "other" is an entry of no class. PGA_E_CONFIG for a glob that fits no
  // class, which is a slip of the pen.
  static Expected<ClassFilter> compile(const std::vector<std::string>& wanted, const std::vector<std::string>& excluded);

  // By class_number().
  [[nodiscard]] bool wants(std::size_t class_number) const { return class_number < wanted_.size() && wanted_[class_number]; }

 private:
  std::vector<bool> wanted_;
};

}  // namespace pganalytics::logs
