// Where a page of documents ended: opaque to clients, and good only for the question it came from.
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <optional>
#include <string>

namespace pganalytics::server::store {

struct Cursor {
  std::int64_t ts_us = 0, id = 0;  // of the last document of the page before
  std::int64_t newest_id = 0;      // documents that came later than the first page are not in any of its pages
};

std::string to_text(const Cursor& cursor, const MetricsQuery& query);
// nullopt: not one of ours, or for another question (collector, type, range).
std::optional<Cursor> parse_cursor(const std::string& text, const MetricsQuery& query);

}  // namespace pganalytics::server::store
