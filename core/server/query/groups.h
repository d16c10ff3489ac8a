// Many series to few: those alike in some labels become one, step by step. [one thread at a time]
#pragma once

#include "core/server/query/timeline.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::query {

enum class Gather { kSum, kAvg, kMin, kMax };

std::optional<Gather> parse_gather(std::string_view text);  // "sum", "avg", "min", "max"
std::string_view to_text(Gather gather);

class Groups {
 public:
  // What the members of a group have in common.
  using Key = std::vector<std::string>;
  struct Group {
    std::size_t members = 0;
    Values values;                    // sums for kAvg until all()
    std::vector<std::size_t> counts;  // of the values in each step
  };

  Groups(Gather gather, std::size_t steps) : gather_(gather), steps_(steps) {}

  // In a step where it has no value a member counts for nothing.
  void add(const Key& key, const Values& values);
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  // By key, once all members are in.
  std::map<Key, Group> all() &&;

 private:
  const Gather gather_;
  const std::size_t steps_;
  std::map<Key, Group> groups_;
};

}  // namespace pganalytics::server::query
