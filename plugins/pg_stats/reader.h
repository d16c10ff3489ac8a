// One family read in one database: its rows from the session into the documents, and what is remembered of them.
//
// Nothing is kept but what History keeps. A family that fails costs itself: the error is for the document, with the grant that
// cures it. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>

#include "core/postgres/read_only_session.h"
#include "plugins/pg_stats/documents.h"
#include "plugins/pg_stats/family.h"
#include "plugins/pg_stats/history.h"
#include "plugins/pg_stats/row.h"
#include "plugins/pg_stats/server_cost.h"

namespace pganalytics::pg_stats {

// What a reading cost and brought.
struct Reading {
  std::int64_t rows = 0;                     // that the server sent
  std::int64_t sent = 0;                     // that are in documents
  std::int64_t omitted = 0;                  // changed, but over a limit
  std::int64_t bytes = 0;                    // that the server sent
  double ms = 0;                             // from the question to the end of the answer: the server works no longer than that
  std::optional<Expected<ServerCost>> cost;  // measured, if that was asked for
};

class FamilyReader {
 public:
  explicit FamilyReader(const Family& family);

  struct Place {
    std::string database;  // "" for the server
    std::string epoch;     // since when this place's counters count, as far as rows do not say
    const std::set<std::string>* probes;
    std::string extension_schema;
    std::string timestamp;  // now
    std::int64_t now_ms;    // monotonic
    std::int64_t full_interval_ms;
    std::int64_t rows_max;
    double measure_below_ms = 0;  // a reading that took no longer is made once more, to measure its cost; 0: no
    std::string keys;             // for a family that is asked for certain rows: integers, comma separated
  };
  // Where a row's object goes instead of the documents: its first key, its JSON.
  using Sink = std::function<void(std::string_view key, std::string json)>;

  // Told of each row that was not there before.
  using Novelty = std::function<void(const RowReader& row)>;

  Expected<Reading> read(postgres::ReadOnlySession& session, Documents& documents, const Place& place, const Sink& sink = {},
                         const Novelty& novelty = {});

  // The server is another one, or was set back: what was before says nothing.
  void forget() { places_.clear(); }
  // Databases that are no more.
  void keep_only(const std::set<std::string>& databases);

 private:
  struct Memory {
    explicit Memory(const Family& family) : history(RowReader::number_counters(family)) {}
    History history;
    std::string since;         // when it was read before; "" never
    std::int64_t full_ms = 0;  // when the last full snapshot began
    bool had_full = false;
    int slice = kWhole;        // that comes next: all of them at first, so that the first documents are complete
    bool reading_all = false;  // each slice since the first
    int full_slices_left = 0;  // of the full snapshot that is under way
  };
  class Pass;

  const Family& family_;
  RowReader row_;
  const bool counts_;     // it has counters
  const bool remembers_;  // its rows
  std::map<std::string, Memory> places_;
};

}  // namespace pganalytics::pg_stats
