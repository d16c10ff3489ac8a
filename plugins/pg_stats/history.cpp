#include "plugins/pg_stats/history.h"

#include <algorithm>
#include <functional>

namespace pganalytics::pg_stats {
namespace {

// 64 bits: two of a million rows have the same with a chance of one in forty million. Then a change is told a full snapshot
// later.
std::uint64_t fingerprint(std::string_view text) { return std::hash<std::string_view>()(text); }

// Rows that are passed over before one is looked for: those that are gone, or that another slice has read.
constexpr std::size_t kAhead = 32;

// Memory that a list has asked for and does not use, as it grows by doubling.
template <class Value>
void trim(std::vector<Value>& list) {
  if (list.capacity() - list.size() > list.size() / 4) list.shrink_to_fit();
}

}  // namespace

void History::begin() {
  begun_ = seen_;
  next_ = 0;
}

History::Slot* History::find(std::uint64_t key) {
  const std::size_t last = std::min(slots_.size(), next_ + kAhead);
  for (std::size_t place = next_; place < last; ++place) {
    if (slots_[place].key != key) continue;
    next_ = place + 1;
    return &slots_[place];
  }
  if (!index_) {
    index_.emplace(slots_.size());
    for (std::size_t place = 0; place < slots_.size(); ++place) index_->emplace(slots_[place].key, place);
  }
  const auto found = index_->find(key);
  if (found == index_->end()) return nullptr;
  next_ = found->second + 1;
  return &slots_[found->second];
}

History::Seen History::add(std::uint64_t key, std::uint64_t content, std::uint32_t epoch,
                           const std::vector<CounterValue>& counters) {
  if (slots_.size() >= kRowsMax) return {};
  Slot slot{key, content, 0, epoch, 0};
  if (free_.empty()) {
    slot.counters = static_cast<std::uint32_t>(values_.size());
    values_.resize(values_.size() + is_number_.size());
  } else {
    slot.counters = free_.back();
    free_.pop_back();
  }
  keep(slot, content, epoch, counters);
  index_->emplace(key, slots_.size());
  slots_.push_back(slot);
  return {};
}

History::Seen History::see(std::string_view key, std::string_view content, std::string_view epoch,
                           const std::vector<CounterValue>& counters) {
  const std::uint64_t key_print = fingerprint(key), content_print = fingerprint(content);
  const auto epoch_print = static_cast<std::uint32_t>(fingerprint(epoch));
  Slot* const found = find(key_print);
  if (found == nullptr) return add(key_print, content_print, epoch_print, counters);
  Slot& slot = *found;
  Seen seen{true, slot.content != content_print || slot.epoch != epoch_print, slot.epoch != epoch_print, nullptr};
  slot.seen = ++seen_;
  if (!seen.changed) return seen;
  const CounterValue* const before = values_.data() + slot.counters;
  for (std::size_t i = 0; i < is_number_.size(); ++i) {
    if (is_number_[i] ? counters[i].number < before[i].number : counters[i].integer < before[i].integer) seen.began_anew = true;
  }
  growth_ = counters;
  if (!seen.began_anew) {
    for (std::size_t i = 0; i < is_number_.size(); ++i) {
      if (is_number_[i]) {
        growth_[i].number -= before[i].number;
      } else {
        growth_[i].integer -= before[i].integer;
      }
    }
  }
  seen.growth = &growth_;
  keep(slot, content_print, epoch_print, counters);
  return seen;
}

void History::keep(Slot& slot, std::uint64_t content, std::uint32_t epoch, const std::vector<CounterValue>& counters) {
  slot.content = content;
  slot.epoch = epoch;
  slot.seen = ++seen_;
  if (!counters.empty()) std::memcpy(values_.data() + slot.counters, counters.data(), counters.size() * sizeof(CounterValue));
}

std::size_t History::end() {
  const auto gone = std::remove_if(slots_.begin(), slots_.end(), [this](const Slot& slot) {
    if (slot.seen > begun_) return false;
    free_.push_back(slot.counters);
    return true;
  });
  const auto count = static_cast<std::size_t>(slots_.end() - gone);
  slots_.erase(gone, slots_.end());
  if (index_) std::sort(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) { return a.seen < b.seen; });
  index_.reset();
  trim(slots_);
  trim(values_);
  return count;
}

}  // namespace pganalytics::pg_stats
