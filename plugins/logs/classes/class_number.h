// Classes by number: that of their row in the table, and one more for what is of no class. Pure; any thread.
#pragma once

#include "plugins/logs/classes/class_table.h"

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

inline constexpr std::string_view kOtherClass = "other";  // what an entry of no class is counted and chosen as

inline std::size_t class_count() { return event_classes().size + 1; }

// nullptr: of no class.
inline std::size_t class_number(const EventClass* row) {
  const ClassTable table = event_classes();
  return row == nullptr ? table.size : static_cast<std::size_t>(row - table.rows);
}

inline std::string_view class_name(std::size_t number) {
  const ClassTable table = event_classes();
  return number < table.size ? table.rows[number].name : kOtherClass;
}

}  // namespace pganalytics::logs
