// Plugin ids as the server sees them: their form, and the second names that some have; the names of their schemas. [any thread]
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pganalytics::server::ingest {

// The plugins that come with the product.
inline constexpr std::array<std::string_view, 5> kOwnPlugins = {"pg_stats", "sysstat", "logs", "disk", "exec"};

// [a-z][a-z0-9_]{1,31}
inline bool is_plugin_id(std::string_view text) {
  if (text.size() < 2 || text.size() > 32 || text.front() < 'a' || text.front() > 'z') return false;
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// 64 lower-case hex digits: how schemas are called.
inline bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// pg_logs and pg_log are logs, disk_usage is disk; every other id is itself.
inline std::string canonical_plugin_id(std::string_view id) {
  if (id == "pg_logs" || id == "pg_log") return "logs";
  if (id == "disk_usage") return "disk";
  return std::string(id);
}

}  // namespace pganalytics::server::ingest
