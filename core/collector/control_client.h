// Asking the running collector over its control socket.
//
// For `status`, `plugin list` and `plugin release`. Blocks up to the time it is given. [main thread]
#pragma once

#include "core/collector/control_protocol.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

constexpr std::int64_t kControlTimeoutMs = 2'000;

// The result. PGA_E_NOTFOUND ("control.absent"): nobody listens at `path`; PGA_E_DENIED: we may not ask; PGA_E_DEADLINE
// ("control.silent"): no answer in time; else what the collector said against it.
Expected<rapidjson::Document> ask_collector(const std::string& path, const ControlRequest& request,
                                            std::int64_t timeout_ms = kControlTimeoutMs);

}  // namespace pganalytics::collector
