// What a file's reading met, in words for `errors`. Pure; any thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/format.h"
#include "plugins/logs/follow/survey.h"

#include <string>
#include <vector>

namespace pganalytics::logs {

void tell_troubles(const Tally& tally, Format format, const std::string& path, std::vector<Problem>& problems);

}  // namespace pganalytics::logs
