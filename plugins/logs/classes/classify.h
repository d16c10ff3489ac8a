// Which class an event is of, and what its message says as fields. Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_table.h"
#include "plugins/logs/event.h"

#include <optional>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

struct ExtractedField {
  std::string_view name;
  std::string_view text;
  bool is_number = false;  // "12", "-3", "0.25"
};

// The fields of a message that has the shape; see EventClass. Views into both.
std::optional<std::vector<ExtractedField>> match_shape(std::string_view shape, std::string_view message);

// nullptr: of no class that we know. By the SQLSTATE where the log carries it, so that the language of the message does not
// matter; by the message where it does not, and to tell apart what has one SQLSTATE.
const EventClass* classify(const Event& event);

// Sets class_name and fields. The fields come from the message as it is now: to be called when what may not leave is hidden, and
// so hidden in them.
void describe(Event& event, const EventClass& event_class);

}  // namespace pganalytics::logs
