#include "core/spool/waiting_keys.h"

#include <algorithm>
#include <cstring>

namespace pganalytics::spool {
namespace {

void add_to(WaitingKeys::Runs& runs, std::uint64_t seq) {
  auto after = runs.upper_bound(seq);
  std::uint64_t first = seq, last = seq;
  if (after != runs.begin()) {
    const auto before = std::prev(after);
    if (before->second >= seq) return;  // it is in there
    if (before->second + 1 == seq) {
      first = before->first;
      runs.erase(before);
    }
  }
  if (after != runs.end() && after->first == seq + 1) {
    last = after->second;
    runs.erase(after);
  }
  runs[first] = last;
}

void remove_from(WaitingKeys::Runs& runs, std::uint64_t seq) {
  auto run = runs.upper_bound(seq);
  if (run == runs.begin()) return;
  --run;
  const auto [first, last] = *run;
  if (last < seq) return;
  runs.erase(run);
  if (first < seq) runs[first] = seq - 1;
  if (seq < last) runs[seq + 1] = last;
}

}  // namespace

bool WaitingKeys::Epoch::has(std::uint64_t seq, const std::string& part) const {
  if (!part.empty()) return parts.count({seq, part}) != 0;
  const auto run = runs.upper_bound(seq);
  return run != runs.begin() && std::prev(run)->second >= seq;
}

std::uint64_t WaitingKeys::Epoch::first() const {
  const std::uint64_t whole = runs.empty() ? 0 : runs.begin()->first, part = parts.empty() ? 0 : parts.begin()->first;
  return whole == 0 || part == 0 ? std::max(whole, part) : std::min(whole, part);
}

Expected<WaitingKeys> WaitingKeys::follow(Database& database) {
  WaitingKeys keys;
  // https://www.sqlite.org/c3ref/update_hook.html. Changes that are rolled back are looked up in vain, which is all right.
  sqlite3_update_hook(
      database.handle(),
      [](void* changes, int, const char*, const char* table, sqlite3_int64 id) {
        if (std::strcmp(table, "batch") == 0) static_cast<Changes*>(changes)->ids.push_back(id);
      },
      keys.changes_.get());
  PGA_TRY(Statement rows, database.prepare("SELECT id, epoch, seq, part FROM batch"));
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return keys;
    keys.add(rows.integer(0), rows.bytes(1), rows.count(2), rows.bytes(3));
  }
}

Outcome WaitingKeys::catch_up(Database& database) {
  if (changes_->ids.empty()) return {};
  PGA_TRY(Statement row, database.prepare("SELECT epoch, seq, part FROM batch WHERE id = ?"));
  for (const std::int64_t id : changes_->ids) {
    remove(id);
    PGA_TRY(const bool found, row.bind(id).step());
    if (found) add(id, row.bytes(0), row.count(1), row.bytes(2));
    row.reset();
  }
  changes_->ids.clear();
  return {};
}

void WaitingKeys::add(std::int64_t id, const std::string& epoch, std::uint64_t seq, const std::string& part) {
  const auto known = epochs_.try_emplace(epoch).first;
  keys_[id] = {known, seq, part};
  if (part.empty()) {
    add_to(known->second.runs, seq);
  } else {
    known->second.parts.insert({seq, part});
  }
}

void WaitingKeys::remove(std::int64_t id) {
  const auto found = keys_.find(id);
  if (found == keys_.end()) return;
  const Key& key = found->second;
  if (key.part.empty()) {
    remove_from(key.epoch->second.runs, key.seq);
  } else {
    key.epoch->second.parts.erase({key.seq, key.part});
  }
  keys_.erase(found);
}

}  // namespace pganalytics::spool
