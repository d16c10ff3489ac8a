// What entries are counted, thinned and chosen by: their class and their severity together. Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_number.h"
#include "plugins/logs/severity.h"

#include <cstddef>
#include <optional>

namespace pganalytics::logs {

struct Kind {
  std::size_t class_number = 0;
  std::optional<Severity> severity;  // none: output of something else than the server's own reports
};

// That of kSeverityNames, and one more for none.
inline std::size_t severity_number(std::optional<Severity> severity) {
  return severity ? static_cast<std::size_t>(*severity) : kSeverityNames.size();
}

// From 0 to kind_count() - 1.
inline std::size_t kind_number(const Kind& kind) {
  return kind.class_number * (kSeverityNames.size() + 1) + severity_number(kind.severity);
}
inline std::size_t kind_count() { return class_count() * (kSeverityNames.size() + 1); }

}  // namespace pganalytics::logs
