// What the formats' words mean, as parts of an event: the same text gives the same event whatever format it came in. Any thread.
#pragma once

#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/entries/line_prefix.h"
#include "plugins/logs/entries/log_time.h"
#include "plugins/logs/event.h"

#include <string>
#include <string_view>

namespace pganalytics::logs {

// Up to kMaxTextBytes in all; the rest is counted.
void append_text(Event& event, std::string Event::*where, std::string_view text);

// "2026-02-03 04:05:06.789 UTC"
void set_time(Event& event, std::string_view text, HostZoneMemory& host_zone, Tally& tally);

// A severity that is in another language becomes the message's beginning, so that nothing of it is lost.
void set_severity(Event& event, std::string_view word, Tally& tally);

// "10.0.0.1(5432)" of a line prefix, "10.0.0.1:5432" of csvlog, "[local]", "10.0.0.1".
void set_remote(Event& event, std::string_view text, char before_port);

// Numbers that are 0 where there is nothing to say.
std::optional<std::int64_t> positive(std::string_view digits);
std::optional<std::int64_t> not_zero(std::string_view digits);

// All that a line prefix says, the label aside, into an event in which nothing of it is set.
void set_prefix(Event& event, const PrefixMatch& match, HostZoneMemory& host_zone, Tally& tally);

// "... at character 15", which stderr and syslog write behind the message: of the internal query if there is one. To be called
// when all parts are there.
void move_position_out_of_message(Event& event);

// Output of something else than the server's reports, or what is not of the format.
Event other_output(std::string_view text);

}  // namespace pganalytics::logs
