// auto_explain.log_format = json. Pure; any thread.
#pragma once

#include "plugins/logs/plans/plan.h"

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::logs {

// `text`: what follows "plan:". PGA_E_FAIL "plan.odd" for what is no plan, PGA_E_LIMIT "plan.limit" for more nodes or levels than
// plan.h allows.
Expected<Plan> parse_json_plan(std::string_view text);

}  // namespace pganalytics::logs
