#include "core/config/plugin_names.h"

#include "core/instance/instance_name.h"

#include <utility>

namespace pganalytics::config {

std::string canonical_plugin_name(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"pg_logs", "logs"}, {"pg_log", "logs"}, {"disk_usage", "disk"}};
  for (const auto& [alias, canonical] : kAliases) {
    if (instance::plugin_of(name) == alias) return std::string(canonical).append(instance::suffix_of(name));
  }
  return std::string(name);
}

}  // namespace pganalytics::config
