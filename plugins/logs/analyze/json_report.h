// Figures for programs. Pure; any thread.
#pragma once

#include "plugins/logs/analyze/figures.h"

#include <cstddef>
#include <string>

namespace pganalytics::logs {

// One JSON object, described in the plugin's README. `top`: of each list.
std::string json_report(const Figures& figures, std::size_t top);

}  // namespace pganalytics::logs
