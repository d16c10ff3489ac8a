// Events, newest first, page by page.
#include "core/server/store/events.h"

#include <algorithm>
#include <pganalytics/json.hpp>

#include "core/server/store/copy_text.h"
#include "core/server/store/cursor.h"
#include "core/server/store/impl.h"
#include "core/server/store/statement_values.h"

namespace pganalytics::server::store {
namespace {

constexpr std::uint32_t kPageMax = 1'000;

std::string ids_of(const std::vector<EventFamily>& families) {
  std::vector<std::int64_t> ids;
  for (const EventFamily& family : families) ids.push_back(family.id);
  return array_of(ids);
}

std::string json_of(const std::vector<EventFamily>& families) {
  JsonWriter json;
  json.begin_array();
  for (const EventFamily& family : families) {
    for (const LabelMatch& match : family.matches) {
      json.begin_object().member("family", family.id);
      write_members(json, match);
      json.end_object();
    }
  }
  return std::string(json.end_array().text());
}

// Anything with `text` in it, for ILIKE.
std::string pattern_of(const std::string& text) {
  if (text.empty()) return {};
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '\\' || c == '%' || c == '_') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::optional<std::string> time_of(const std::optional<std::int64_t>& unix_ns) {
  if (!unix_ns) return std::nullopt;
  return timestamp_text(*unix_ns);
}

// All but how much at a time: what a cursor is good for.
std::string question_of(const EventsQuery& query) {
  JsonWriter json;
  json.begin_array().value(ids_of(query.families)).value(json_of(query.families)).value(query.collector).value(query.text);
  json.value(query.from_unix_ns).value(query.to_unix_ns).end_array();
  return std::string(json.text());
}

Event event_of(const postgres::Rows& rows, int row) {
  Event event;
  event.id = rows.int64(row, 0).value_or(0);
  event.unix_ns = rows.int64(row, 1).value_or(0) * 1'000;
  event.family_id = rows.int64(row, 2).value_or(0);
  event.collector_id = rows.text(row, 3);
  event.collector_name = rows.text(row, 4);
  event.json = rows.text(row, 5);
  return event;
}

}  // namespace

Expected<EventsPage> Store::events(const EventsQuery& query) {
  const std::string question = question_of(query);
  Cursor cursor;
  const bool first_page = query.cursor.empty();
  if (first_page) {
    PGA_TRY(const postgres::Rows newest, impl_->ask(embedded::events_newest_id_sql, {}));
    cursor.newest_id = newest.int64(0, 0).value_or(0);
  } else if (const auto parsed = parse_cursor(query.cursor, question)) {
    cursor = *parsed;
  } else {
    return Error{PGA_E_CONFIG, "store.cursor", "the cursor is not one of this query's",
                 "Take next_cursor from the page before, unchanged.", 0};
  }
  const std::uint32_t limit = std::min(query.limit, kPageMax);
  std::optional<std::string> after_time;
  if (!first_page) after_time = timestamp_text(cursor.ts_us * 1'000);
  // One more than asked for tells whether there is another page.
  PGA_TRY(const postgres::Rows rows,
          impl_->ask(embedded::events_page_sql,
                     {ids_of(query.families), json_of(query.families), query.collector, pattern_of(query.text),
                      time_of(query.from_unix_ns), time_of(query.to_unix_ns), std::to_string(cursor.newest_id), after_time,
                      std::to_string(cursor.id), std::to_string(limit + 1)}));
  EventsPage page;
  const int shown = std::min(rows.size(), static_cast<int>(limit));
  for (int row = 0; row < shown; ++row) page.events.push_back(event_of(rows, row));
  if (rows.size() > shown && shown > 0)
    page.next_cursor = to_text({page.events.back().unix_ns / 1'000, page.events.back().id, cursor.newest_id}, question);
  return page;
}

}  // namespace pganalytics::server::store
