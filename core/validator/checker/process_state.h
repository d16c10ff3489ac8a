// What belongs to the whole process and a plugin has to leave alone, so that before and after can be compared.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::validator {

struct ProcessState {
  std::set<std::string> descriptors;  // "5 -> socket:[123]"
  std::size_t threads = 0;
  std::vector<std::string> signal_handlers;  // by number
  std::string locale, folder;
  unsigned umask = 0;
  std::vector<std::string> environment;

  static ProcessState now();
  // What is different in `after`, in words; nullopt: nothing.
  [[nodiscard]] std::optional<std::string> difference(const ProcessState& after) const;
};

std::size_t open_descriptors();
std::size_t running_threads();
// Allocated and not freed, of this process. 0: this C library, or the sanitizer in its place, does not say.
std::size_t bytes_in_use();

}  // namespace pganalytics::validator
