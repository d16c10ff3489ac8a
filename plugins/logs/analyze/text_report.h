// Figures for people. Pure; any thread.
#pragma once

#include "plugins/logs/analyze/figures.h"

#include <cstddef>
#include <string>

namespace pganalytics::logs {

// `top`: of each list. Control bytes of texts are shown, not sent to the terminal.
std::string text_report(const Figures& figures, std::size_t top);

}  // namespace pganalytics::logs
