// The rows of one push, as the database will take them: points and events in COPY's form, series and facts beside.
//
// Filled row by row before the transaction begins, then given to Store::push with the documents. Points are written where they
// stay; only the numbers of their series are missing until the store knows them. Not here: JSON, which rows there are
// (core/schema/family_rows.h). One thread at a time.
#pragma once

#include "core/schema/family_rows.h"
#include "core/server/store/series_cache.h"
#include "core/server/store/stored_family.h"

#include <cstddef>
#include <cstdint>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pganalytics::server::store {

// A label is cut to so many bytes, with the digest of all of it behind: an index does not take more.
constexpr std::size_t kLabelBytes = 1'024;
// A fact of more is kept once in pganalytics.texts, whoever has it.
constexpr std::size_t kShortFactBytes = 512;
// What the rows of one push may take in memory: labels stand in each of their rows, so a small document can have large ones.
constexpr std::size_t kBatchBytes = 64u << 20;

// What is around rows in COPY's binary form: signature, flags, length of the header's extension; -1 for the number of fields of a
// row (PostgreSQL docs, COPY, "Binary Format").
constexpr std::string_view kPointsHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kPointsTrailer("\377\377", 2);

class RowBatch {
 public:
  explicit RowBatch(std::string collector_id);

  // Fields that are no finite number are null; a row without any field has no point. Texts that PostgreSQL would refuse (zero
  // bytes, lone surrogates) are mended. PGA_E_LIMIT, "too_many_rows": kBatchBytes; PGA_E_CONFIG, "bad_event": a number in an
  // event is beyond what jsonb takes. Then take_back() is due.
  Outcome add(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us);
  void count_out_of_time() { ++out_of_time_; }

  // Where the batch stands, and back to there: a document is taken whole or not at all.
  struct Mark {
    std::size_t points = 0, point_bytes = 0, event_bytes = 0, series = 0, texts = 0, out_of_time = 0;
  };
  [[nodiscard]] Mark mark() const;
  void take_back(const Mark& mark);

  // --- for the store

  struct Series {
    SeriesDigest digest{};
    std::int32_t family_id = 0;
    std::size_t labels = 0, labels_end = 0;  // in texts(), encoded
    std::size_t facts = 0, facts_end = 0;    // likewise; the same: none
    std::int64_t facts_us = 0;
  };
  [[nodiscard]] const std::string& collector_id() const { return collector_id_; }
  [[nodiscard]] const std::vector<Series>& series() const { return series_; }
  // Of encoded texts, in the database's order, each with whether there is one.
  [[nodiscard]] std::vector<std::pair<bool, std::string_view>> texts(std::size_t begin, std::size_t end) const;
  [[nodiscard]] SeriesDigest digest_of(std::size_t begin, std::size_t end) const;
  // Rows in COPY's binary form, for between kPointsHeader and kPointsTrailer, with the series' ids in their places: ids[i] is
  // that of series()[i].
  std::string_view finish_points(const std::vector<std::int64_t>& ids);
  [[nodiscard]] std::size_t points() const { return points_.size(); }
  // In which five minutes there are points, or were before take_back(): the beginnings, Unix time in microseconds.
  [[nodiscard]] const std::set<std::int64_t>& point_times_us() const { return point_times_us_; }
  [[nodiscard]] const std::string& events() const { return events_; }  // COPY's text form
  [[nodiscard]] std::size_t out_of_time() const { return out_of_time_; }

 private:
  struct Point {
    std::size_t series = 0;    // index
    std::size_t id_place = 0;  // in copy_
  };

  void place(const std::string_view* texts, const std::vector<std::uint32_t>& where, bool are_labels);
  std::size_t series_of(std::int32_t family_id);
  void take_facts(std::size_t series, const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us);
  void add_point(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us, std::size_t series);
  Outcome add_event(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us);
  std::string_view storable(std::string_view text, bool is_label);

  const std::string collector_id_;
  std::string copy_;    // the points
  std::string events_;  // the events
  std::string texts_;   // labels and facts
  std::vector<Point> points_;
  std::set<std::int64_t> point_times_us_;
  std::vector<Series> series_;
  std::unordered_map<SeriesDigest, std::size_t, SeriesDigestHash> by_digest_;
  std::size_t out_of_time_ = 0;

  // Of one row at a time.
  std::vector<std::string_view> places_;
  std::vector<double> fields_;
  std::vector<std::string> mended_;
  std::string digested_;
};

}  // namespace pganalytics::server::store
