// Capabilities by name, as capabilities(7) and systemd have them. [any thread]
#pragma once

#include <optional>
#include <string_view>

namespace pganalytics::host {

// "CAP_DAC_READ_SEARCH" -> 2.
std::optional<int> capability_named(std::string_view name);

}  // namespace pganalytics::host
