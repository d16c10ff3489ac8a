// What a list of rows was at the reading before: which rows have changed, and by how much their counters have grown.
//
// The rule for the growth of a counter, told in README.md and held by history_test.cpp:
//  1. a row that was not there before has none: its counters may have begun long ago;
//  2. if the row's epoch is another one, or any of its counters went down, all of its counters began anew: each has grown by what
//     it is now;
//  3. else each has grown by the difference.
// So the growths since the row was first seen, from one beginning to the next, always add up to the counter.
//
// Rows are kept in the order in which they came: a server sends them in the same order again and again, so each is found where
// the last one was, without a search. Where it is not, an index is made, and thrown away with the reading. Memory: 32 bytes and 8
// for each counter per row; rows beyond kRowsMax are not remembered (each counts as changed). One thread at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pganalytics::pg_stats {

// A counter's value: an integer, or a number of milliseconds and the like.
union CounterValue {
  std::int64_t integer;
  double number;
};

class History {
 public:
  static constexpr std::size_t kRowsMax = 200'000;

  explicit History(std::vector<bool> is_number) : is_number_(std::move(is_number)) {}

  // A new reading begins.
  void begin();
  // It goes on with other rows, which come in their order from the first one.
  void rewind() { next_ = 0; }

  struct Seen {
    bool known = false;   // it was there at the reading before
    bool changed = true;  // in any way
    bool began_anew = false;
    // By how much each counter has grown; only if it is known and has changed. Until the next call.
    const std::vector<CounterValue>* growth = nullptr;
  };
  // key: what identifies the row. content: all of it. epoch: since when its counters count. counters: as many as is_number says;
  // one that is NULL is given as 0.
  Seen see(std::string_view key, std::string_view content, std::string_view epoch, const std::vector<CounterValue>& counters);

  // The reading is complete: forgets what it has not seen, and says how many rows that were.
  std::size_t end();

  [[nodiscard]] std::size_t rows() const { return slots_.size(); }

 private:
  struct Slot {
    std::uint64_t key, content;  // fingerprints
    std::uint64_t seen;      // of all rows that were ever seen this was so many: the order, and whether it was in this reading
    std::uint32_t epoch;     // fingerprint
    std::uint32_t counters;  // index of the first
  };
  Slot* find(std::uint64_t key);
  Seen add(std::uint64_t key, std::uint64_t content, std::uint32_t epoch, const std::vector<CounterValue>& counters);
  void keep(Slot& slot, std::uint64_t content, std::uint32_t epoch, const std::vector<CounterValue>& counters);

  const std::vector<bool> is_number_;
  std::vector<Slot> slots_;
  std::vector<CounterValue> values_;
  std::vector<std::uint32_t> free_;  // of values_
  std::vector<CounterValue> growth_;
  std::size_t next_ = 0;                // where the next row is expected
  std::uint64_t seen_ = 0, begun_ = 0;  // rows seen ever; when this reading began
  std::optional<std::unordered_map<std::uint64_t, std::uint32_t>>
      index_;  // key to place, once a row was not where it was expected
};

}  // namespace pganalytics::pg_stats
