// Which batches wait, in little room: by epoch, runs of numbers and the few parts that halving left.
//
// Private to core/spool. Follows a database by itself: SQLite tells it of every row of table batch that comes or goes.
// [storage thread]
#pragma once

#include "core/spool/batch.h"
#include "core/spool/sqlite.h"

#include <cstdint>
#include <map>
#include <memory>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::spool {

class WaitingKeys {
 public:
  using Runs = std::map<std::uint64_t, std::uint64_t>;            // first -> last
  using Parts = std::set<std::pair<std::uint64_t, std::string>>;  // (seq, part)
  struct Epoch {
    Runs runs;
    Parts parts;
    [[nodiscard]] bool has(std::uint64_t seq, const std::string& part) const;
    [[nodiscard]] std::uint64_t first() const;  // lowest seq; 0: none
  };

  // Reads what waits now, and is told of what changes from then on; `database` outlives it or is closed before it is asked again.
  static Expected<WaitingKeys> follow(Database& database);

  // Takes in what was committed since. Call it after each commit, before epochs().
  Outcome catch_up(Database& database);
  [[nodiscard]] const std::map<std::string, Epoch>& epochs() const { return epochs_; }

 private:
  struct Changes {
    std::vector<std::int64_t> ids;  // of rows that came, went or changed since the last catch_up()
  };
  struct Key {
    std::map<std::string, Epoch>::iterator epoch;
    std::uint64_t seq = 0;
    std::string part;
  };

  void add(std::int64_t id, const std::string& epoch, std::uint64_t seq, const std::string& part);
  void remove(std::int64_t id);

  std::unique_ptr<Changes> changes_ = std::make_unique<Changes>();
  std::map<std::string, Epoch> epochs_;
  std::map<std::int64_t, Key> keys_;  // by id
};

}  // namespace pganalytics::spool
