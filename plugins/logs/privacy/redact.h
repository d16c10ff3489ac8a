// What an event may say. Applied to each event before it leaves the plugin. Pure; any thread.
#pragma once

#include "plugins/logs/event.h"
#include "plugins/logs/privacy/spans.h"

#include <optional>
#include <string_view>

namespace pganalytics::logs {

// "all", "parameters", "none"
std::optional<Redaction> parse_redaction(std::string_view word);

// Takes out of the event's texts what `mode` hides. `has_class`: classify() knows what the event is about. To be called before
// describe(), so that what is hidden is hidden in the fields, too.
//   kAll         statements, DETAIL and CONTEXT but for the lines that only say where, values that messages quote, all that is
//   not
//                the server's own words, and messages below ERROR of no class
//   kParameters  literals and comments of statements, parameters, rows, quoted values, all that is not the server's own words
//   kNone        credentials, which the others hide as well
// user, database, application, and what the prefix says beside, are names: they stay, but for credentials in them.
void redact(Event& event, Redaction mode, bool has_class);

}  // namespace pganalytics::logs
