// Where a page of a list ended: opaque to clients, and good only for the question it came from.
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <optional>
#include <string>

namespace pganalytics::server::store {

struct Cursor {
  std::int64_t ts_us = 0, id = 0;  // of the last row of the page before
  std::int64_t newest_id = 0;      // rows that came later than the first page are not in any of its pages
};

// `question`: all that decides what is in the list, in any form that is the same for the same question.
std::string to_text(const Cursor& cursor, const std::string& question);
// nullopt: not one of ours, or for another question.
std::optional<Cursor> parse_cursor(const std::string& text, const std::string& question);

// Of a list of documents: collector, type and range.
std::string question_of(const MetricsQuery& query);

}  // namespace pganalytics::server::store
