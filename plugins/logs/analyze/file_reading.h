// A log file from its beginning to its end, entry by entry. One thread.
#pragma once

#include "plugins/logs/analyze/analysis.h"
#include "plugins/logs/analyze/options.h"

#include <cstdint>
#include <functional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::logs {

// Called now and then with the bytes read so far of this file.
using Progress = std::function<void(std::uint64_t bytes)>;

// `path`: "-" is standard input. Its entries go into `analysis`, and what there is to say of the file into its figures. An error:
// it cannot be read (logs.open, logs.read), is compressed (logs.compressed), or nothing in it is an entry (logs.no_entries).
Outcome read_file(const std::string& path, const AnalyzeOptions& options, Analysis& analysis, const Progress& progress);

}  // namespace pganalytics::logs
