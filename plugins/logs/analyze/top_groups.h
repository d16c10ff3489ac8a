// Figures by a key of which there may be any number, in bounded memory. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pganalytics::logs {

// When `capacity` keys are there, the half with the least weight is given up: their figures go into others(), so that sums stay
// exact. A key that comes again afterwards begins anew: what a group says is then too little, never too much.
// Figures: default constructible, merge(const Figures&), weight() -> a number.
template <class Figures>
class TopGroups {
 public:
  using Entry = std::pair<std::string, Figures>;

  explicit TopGroups(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 2)) {}

  // Valid until the next call.
  Figures& of(const std::string& key) {
    const auto found = groups_.find(key);
    if (found != groups_.end()) return found->second;
    if (groups_.size() >= capacity_) give_up_half();
    return groups_[key];
  }

  // The `count` heaviest, heaviest first; of the same weight by key.
  [[nodiscard]] std::vector<Entry> top(std::size_t count) const {
    std::vector<Entry> all(groups_.begin(), groups_.end());
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()));
    std::partial_sort(all.begin(), end, all.end(), [](const Entry& a, const Entry& b) {
      const auto left = a.second.weight();
      const auto right = b.second.weight();
      return left != right ? left > right : a.first < b.first;
    });
    all.erase(end, all.end());
    return all;
  }

  [[nodiscard]] const Figures& others() const { return others_; }
  [[nodiscard]] std::size_t size() const { return groups_.size(); }
  [[nodiscard]] bool complete() const { return !gave_up_; }

 private:
  void give_up_half() {
    std::vector<typename std::unordered_map<std::string, Figures>::iterator> all;
    for (auto group = groups_.begin(); group != groups_.end(); ++group) all.push_back(group);
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end(), [](auto a, auto b) { return a->second.weight() < b->second.weight(); });
    for (auto group = all.begin(); group != middle; ++group) {
      others_.merge((*group)->second);
      groups_.erase(*group);
    }
    gave_up_ = true;
  }

  const std::size_t capacity_;
  std::unordered_map<std::string, Figures> groups_;
  Figures others_;
  bool gave_up_ = false;
};

}  // namespace pganalytics::logs
