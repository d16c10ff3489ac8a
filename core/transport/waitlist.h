// Batches whose turn comes later than that of others: refused once, being stored by an earlier try, or not to be split right now.
//
// Here: until when, and how often the server refused each. Not here: what is done then (pusher.cpp), the batches themselves
// (core/spool). In memory: after a restart every batch is tried afresh. [one thread]
#pragma once

#include "core/spool/batch.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace pganalytics::transport {

class Waitlist {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  // held: the outbox passes it over; otherwise its lane stops at it until then.
  void wait(const spool::BatchKey& key, std::int64_t until_ms, bool held);
  // How often it has been refused, this time included.
  int refused(const spool::BatchKey& key);
  // Acknowledged, set aside, split, sealed anew: there is no such batch any more.
  void ended(const spool::BatchKey& key) { entries_.erase(key); }

  // The held ones whose time has come, to be released now. What is known of their refusals stays known.
  std::vector<spool::BatchKey> take_due(std::int64_t now_ms);
  [[nodiscard]] bool is_waiting(const spool::BatchKey& key, std::int64_t now_ms) const;
  // When the first of them comes due after now_ms; kNever: none.
  [[nodiscard]] std::int64_t next_due_ms(std::int64_t now_ms) const;
  [[nodiscard]] std::size_t held() const;

 private:
  struct Entry {
    int refusals = 0;
    std::int64_t until_ms = 0;
    bool held = false;
  };
  void forget_some();
  std::map<spool::BatchKey, Entry> entries_;
};

}  // namespace pganalytics::transport
