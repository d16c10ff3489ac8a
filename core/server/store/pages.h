// A list that is read page by page, newest first: where a page begins, and where the next one does.
#pragma once

#include "core/server/store/copy_text.h"
#include "core/server/store/cursor.h"
#include "core/server/store/impl.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace pganalytics::server::store {

// One page of the answer to `question` (cursor.h). It is asked for one row more than it shows, which tells whether another
// follows.
class PageTurn {
 public:
  // `newest_id_sql` tells the newest row that there is when the first page is read. PGA_E_CONFIG: the cursor is not one of the
  // question's.
  static Expected<PageTurn> begin(Pool& pool, const char* newest_id_sql, const std::string& cursor_text, std::string question,
                                  std::uint32_t limit) {
    PageTurn turn(std::move(question), std::min(limit, kPageMax));
    if (!cursor_text.empty()) {
      const auto cursor = parse_cursor(cursor_text, turn.question_);
      if (!cursor) {
        return Error{PGA_E_CONFIG, "store.cursor", "the cursor is not one of this query's",
                     "Take next_cursor from the page before, unchanged.", 0};
      }
      turn.cursor_ = *cursor;
      turn.after_time_ = timestamp_text(cursor->ts_us * 1'000);
      return turn;
    }
    PGA_TRY(auto connection, pool.take());
    PGA_TRY(const postgres::Rows newest, connection->query(newest_id_sql, {}, call_deadline()));
    turn.cursor_.newest_id = newest.int64(0, 0).value_or(0);
    return turn;
  }

  // Appends what the page's statement ends with: the newest id, time and id of the row before (a null time: none), how many rows.
  void add_to(Parameters& parameters) const {
    parameters.insert(parameters.end(),
                      {std::to_string(cursor_.newest_id), after_time_, std::to_string(cursor_.id), std::to_string(limit_ + 1)});
  }
  // How many of the rows that came are the page's.
  [[nodiscard]] int shown(const postgres::Rows& rows) const { return std::min(rows.size(), static_cast<int>(limit_)); }
  // Empty: this is the last page. The columns are those of the row's time, in microseconds, and id.
  [[nodiscard]] std::string next_cursor(const postgres::Rows& rows, int time_column, int id_column) const {
    const int last = shown(rows) - 1;
    if (last < 0 || rows.size() == last + 1) return {};
    return to_text({rows.int64(last, time_column).value_or(0), rows.int64(last, id_column).value_or(0), cursor_.newest_id},
                   question_);
  }

 private:
  static constexpr std::uint32_t kPageMax = 1'000;

  PageTurn(std::string question, std::uint32_t limit) : question_(std::move(question)), limit_(limit) {}

  const std::string question_;
  const std::uint32_t limit_;
  Cursor cursor_;
  std::optional<std::string> after_time_;
};

// A bound of a range as a parameter.
inline std::optional<std::string> time_parameter(const std::optional<std::int64_t>& unix_ns) {
  if (!unix_ns) return std::nullopt;
  return timestamp_text(*unix_ns);
}

}  // namespace pganalytics::server::store
