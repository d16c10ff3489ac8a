#include "plugins/pg_stats/history.h"

#include <functional>

namespace pganalytics::pg_stats {
namespace {

// 64 bits: two of a million rows have the same with a chance of one in forty million. Then a change is told a full snapshot
// later.
std::uint64_t fingerprint(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

History::Seen History::see(std::string_view key, std::string_view content, std::string_view epoch,
                           const std::vector<CounterValue>& counters) {
  const std::uint64_t key_print = fingerprint(key), content_print = fingerprint(content), epoch_print = fingerprint(epoch);
  const auto found = slots_.find(key_print);
  if (found == slots_.end()) {
    if (slots_.size() >= kRowsMax) return {};
    Slot slot{};
    if (free_.empty()) {
      slot.counters = static_cast<std::uint32_t>(values_.size());
      values_.resize(values_.size() + is_number_.size());
    } else {
      slot.counters = free_.back();
      free_.pop_back();
    }
    keep(slot, content_print, epoch_print, counters);
    slots_.emplace(key_print, slot);
    return {};
  }
  Slot& slot = found->second;
  Seen seen{true, slot.content != content_print || slot.epoch != epoch_print, slot.epoch != epoch_print, nullptr};
  slot.reading = reading_;
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

void History::keep(Slot& slot, std::uint64_t content, std::uint64_t epoch, const std::vector<CounterValue>& counters) {
  slot.content = content;
  slot.epoch = epoch;
  slot.reading = reading_;
  if (!counters.empty()) std::memcpy(values_.data() + slot.counters, counters.data(), counters.size() * sizeof(CounterValue));
}

std::size_t History::end() {
  std::size_t gone = 0;
  for (auto each = slots_.begin(); each != slots_.end();) {
    if (each->second.reading == reading_) {
      ++each;
      continue;
    }
    free_.push_back(each->second.counters);
    each = slots_.erase(each);
    ++gone;
  }
  return gone;
}

}  // namespace pganalytics::pg_stats
