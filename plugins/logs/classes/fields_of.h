// The fields that field_table.h has rows for. Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_table.h"
#include "plugins/logs/event.h"

#include <string_view>

namespace pganalytics::logs {

// Is the class one of `classes`, a name or a name's beginning with a "*"?
bool is_of_classes(std::string_view class_name, std::string_view classes);

// Appends to event.fields what its texts say by the rows for its class, a row of event_classes(). The texts must be as the server
// wrote them: to be called before redact(). At most 64 elements of a list and 1 KiB of a text; what is longer gives no
// field.
void add_fields(Event& event, const EventClass& event_class);

}  // namespace pganalytics::logs
