// Events (log entries, errors) as questions and answers of the store.
#pragma once

#include "core/server/store/series.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::server::store {

// A family of events and what its labels must be.
struct EventFamily {
  std::int64_t id = 0;
  std::vector<LabelMatch> matches;
};

struct EventsQuery {
  std::vector<EventFamily> families;
  std::string collector;                                 // id or name; "" = any
  std::string text;                                      // somewhere in a value of the event, in either case; "" = any
  std::optional<std::int64_t> from_unix_ns, to_unix_ns;  // [from, to)
  std::uint32_t limit = 100;                             // <= 1000
  std::string cursor;                                    // opaque, from the page before; "" = first page
};

struct Event {
  std::int64_t id = 0, unix_ns = 0;
  std::int64_t family_id = 0;
  std::string collector_id, collector_name;
  std::string json;  // the event as it came, its members in PostgreSQL's order (jsonb)
};

struct EventsPage {
  std::vector<Event> events;  // newest first: by time, then id; stable while data arrives
  std::string next_cursor;    // "" = last page
};

}  // namespace pganalytics::server::store
