// What an event may say. Applied to each event before it leaves the plugin. Pure; any thread.
#pragma once

#include "plugins/logs/event.h"

#include <string>
#include <string_view>

namespace pganalytics::logs {

inline constexpr std::string_view kRedacted = "[redacted]";

// Passwords, password verifiers, secrets in "key=value" form, connection strings and the credentials of URLs, each replaced by
// kRedacted. Knows their usual spellings in SQL, connection strings, URLs and JSON. Whatever the mode, every text goes through
// this.
std::string without_credentials(std::string_view text);

// redact = "none": credentials only.
void hide_credentials(Event& event);

// redact = "all": moreover statements, parameters, details and contexts, the values that messages quote, and output
// that is not the server's own. Not hidden: what a function says with RAISE.
void hide_private(Event& event);

}  // namespace pganalytics::logs
