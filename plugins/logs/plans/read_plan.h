// The plan of an event, if its class is "statement.plan". Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_table.h"
#include "plugins/logs/event.h"

namespace pganalytics::logs {

// Sets event.plan, fields that sum it up, and event.statement to the query where the log had none: to be called before what is
// private is hidden. Of what is no plan, or not one that can be read, the field plan_error says why: "cut" (longer than an
// entry's texts may be), "limit" (of more nodes than are read), "odd" (of another format, or not to be told from the query's
// text).
void add_plan(Event& event, const EventClass& event_class);

}  // namespace pganalytics::logs
