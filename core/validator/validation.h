// Performs the checks of one plugin: which, in what order, two at a time, each in a process of its own.
//
// Nothing of the plugin runs in the caller's process. [main thread] Blocks until all are done; `progress` is called as they end.
#pragma once

#include <cstdint>
#include <functional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

#include "core/validator/check.h"
#include "core/validator/request.h"

namespace pganalytics::validator {

struct ValidationOptions {
  std::string checker_path;  // libexec/pganalytics/pganalytics-checker
  std::int64_t timeout_ms = 45'000;
  std::size_t at_once = 2;
};

struct CheckResult {
  const Check* check = nullptr;
  Finding finding;
  std::int64_t duration_ms = 0;
};

struct Validation {
  std::string file;
  std::string id;                    // from the note; empty: it has none
  std::vector<CheckResult> results;  // in the table's order
  std::int64_t duration_ms = 0;

  [[nodiscard]] std::size_t count(Verdict verdict) const;
  [[nodiscard]] std::size_t failed_errors() const;  // of the E checks; what the exit code is made of
};

// `checks`: rows of all_checks(). A check whose predecessors are not among them is performed as if they had passed. An error: no
// checker can be started.
Expected<Validation> validate(const Request& request, const std::vector<const Check*>& checks, const ValidationOptions& options,
                              const std::function<void(const CheckResult&)>& progress = {});

}  // namespace pganalytics::validator
