#include "core/config/plugin_names.h"

#include <utility>

namespace pganalytics::config {

std::string canonical_plugin_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"pg_logs", "logs"}, {"pg_log", "logs"}, {"disk_usage", "disk"}};
  for (const auto& [alias, canonical] : kAliases) {
    if (name == alias) return std::string(canonical);
  }
  return std::string(name);
}

}  // namespace pganalytics::config
