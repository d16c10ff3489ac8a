// Names of the collector's own small values in the spool: written by `run`, read by `status` and `plugin release`.
#pragma once

#include <string>

namespace pganalytics::collector {

constexpr const char* kRemoteRecord = "config.remote";  // remote_record.h
constexpr const char* kLastReport = "report.last";      // the newest "collector" document

// The supervisor's record of a plugin's faults.
inline std::string quarantine_key(const std::string& plugin) { return "quarantine." + plugin; }

}  // namespace pganalytics::collector
