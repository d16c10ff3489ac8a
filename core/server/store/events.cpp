// Events, newest first, page by page.
#include "core/server/store/events.h"

#include <pganalytics/json.hpp>

#include "core/server/store/impl.h"
#include "core/server/store/pages.h"
#include "core/server/store/statement_values.h"

namespace pganalytics::server::store {
namespace {

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
  PGA_TRY(const PageTurn turn,
          PageTurn::begin(impl_->pool, embedded::events_newest_id_sql, query.cursor, question_of(query), query.limit));
  Parameters parameters = {ids_of(query.families),
                           json_of(query.families),
                           query.collector,
                           pattern_of(query.text),
                           time_parameter(query.from_unix_ns),
                           time_parameter(query.to_unix_ns)};
  turn.add_to(parameters);
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::events_page_sql, parameters));
  EventsPage page;
  for (int row = 0; row < turn.shown(rows); ++row) page.events.push_back(event_of(rows, row));
  page.next_cursor = turn.next_cursor(rows, 1, 0);
  return page;
}

}  // namespace pganalytics::server::store
