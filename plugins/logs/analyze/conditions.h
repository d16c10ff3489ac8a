// Names of SQLSTATEs. Immutable; any thread.
#pragma once

#include <string_view>

namespace pganalytics::logs {

// "division_by_zero" of "22012", as PostgreSQL's documentation calls it (appendix A, "PostgreSQL Error Codes"); of those that
// logs are full of. Empty: not among them.
std::string_view condition_name(std::string_view sqlstate);

}  // namespace pganalytics::logs
