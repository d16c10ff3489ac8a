// What a good plugin does, as a table: one row per check, by an id that never changes its meaning and is never used again.
//
// Here: the rows and what came of one. Not here: how a check is performed (checker/), when and beside which others
// (validation.h). Constant data. [any thread]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::validator {

struct Check {
  std::string_view id;     // E...: a plugin that fails it is not fit for a host; W...: it works, and could be better
  std::string_view title;  // what holds for a good plugin
  std::string_view why;    // what it costs somebody where it does not hold
  std::string_view fix;    // a sentence for the plugin's author
  std::string_view after;  // checks that this one builds on: where one of them did not pass, this is skipped. "E01 E12"

  [[nodiscard]] bool is_error() const { return id.front() == 'E'; }
};

// In the order of their ids' numbers. A check stands anywhere after those it builds on may be performed.
const std::vector<Check>& all_checks();

enum class Verdict { kPass, kFail, kSkip };

struct Finding {
  Verdict verdict = Verdict::kPass;
  std::string seen;  // kFail: what was wrong; kSkip: why it could not be performed; kPass: may be empty

  static Finding pass(std::string seen = "") { return {Verdict::kPass, std::move(seen)}; }
  static Finding fail(std::string seen) { return {Verdict::kFail, std::move(seen)}; }
  static Finding skip(std::string reason) { return {Verdict::kSkip, std::move(reason)}; }
};

const char* name_of(Verdict verdict);  // "pass", "fail", "skip"
std::optional<Verdict> verdict_named(std::string_view name);

}  // namespace pganalytics::validator
