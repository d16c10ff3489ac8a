// What an instance is called: its plugin's id, and for each but the unnamed one an @ and a name: "pg_stats", "pg_stats@prod2".
//
// Here: the whole name judged, taken apart, and as the head of its table. Not here: which plugins there are and their aliases
// (core/config). Pure; views are into the argument. [any thread]
#pragma once

#include <cstddef>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::instance {

constexpr std::size_t kPluginBytesMax = 32;  // of a plugin's id
constexpr std::size_t kNameBytesMax = 32;    // behind the @
constexpr std::size_t kWholeBytesMax = kPluginBytesMax + 1 + kNameBytesMax;

// "pg_stats" of "pg_stats@prod2".
std::string_view plugin_of(std::string_view whole);
// "@prod2" of "pg_stats@prod2"; "" of "pg_stats".
std::string_view suffix_of(std::string_view whole);

// That what stands behind an @ is [a-z0-9][a-z0-9_-]{0,31}: it goes into names of control groups and processes, into keys and
// messages. Of the plugin's part it says nothing. PGA_E_CONFIG, code "config.instance_name".
Outcome check_suffix(std::string_view whole);

// The head of its table as TOML wants it: [plugins.pg_stats], [plugins."pg_stats@prod2"]. For messages.
std::string table_of(std::string_view whole);

}  // namespace pganalytics::instance
