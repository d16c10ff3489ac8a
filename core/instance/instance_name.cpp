#include "core/instance/instance_name.h"

#include <algorithm>

namespace pganalytics::instance {
namespace {

bool is_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (name.empty() || name.size() > kNameBytesMax || name.front() == '_' || name.front() == '-') return false;
  return name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::string_view plugin_of(std::string_view whole) { return whole.substr(0, whole.find('@')); }

std::string_view suffix_of(std::string_view whole) { return whole.substr(std::min(whole.find('@'), whole.size())); }

Outcome check_suffix(std::string_view whole) {
  const std::string_view suffix = suffix_of(whole);
  if (suffix.empty() || is_name(suffix.substr(1))) return {};
  return Error{PGA_E_CONFIG, "config.instance_name", "'" + std::string(suffix.substr(1)) + "' is not an instance's name",
               "Behind the @ give 1 to 32 lower-case letters, digits, '_' and '-', a letter or digit first.", 0};
}

std::string table_of(std::string_view whole) {
  const char* const quote = suffix_of(whole).empty() ? "" : "\"";
  return std::string("[plugins.") + quote + std::string(whole) + quote + "]";
}

}  // namespace pganalytics::instance
