// auto_explain's plans: a statement, its parameters, and conditions with literals in them, in one text. Pure; any thread.
#pragma once

#include "plugins/logs/privacy/spans.h"

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

// The plan is text[begin..]. Of JSON the names and numbers of the nodes stay readable; text and XML are read as one statement, of
// which costs are literals, too; another format is hidden whole.
void find_in_plan(std::string_view text, std::size_t begin, Spans& spans);

}  // namespace pganalytics::logs
