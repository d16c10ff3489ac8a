#include "core/spool/ring.h"

#include "core/crypto/digest.h"
#include "core/spool/halves.h"

#include <algorithm>

namespace pganalytics::spool {
namespace {

Error only_on_disk(const char* what, const BatchKey& key) {
  return Error{PGA_E_TRANSIENT, "spool.memory",
               std::string("unable to ") + what + " batch " + key.text() +
                   " while the disk is away: a restart would bring its old form back",
               "", 0};
}

}  // namespace

void Ring::begin_epoch() {
  current_ = crypto::hex(crypto::random_bytes(16));
  epochs_[current_] = {current_, collector_id_};
}

void Ring::put(Entry&& entry) {
  const Place place(entry.row.position, entry.row.key.part);
  bytes_ += entry.body.size();
  bytes_of_plugin_[entry.row.plugin] += entry.body.size();
  places_[entry.row.key] = place;
  entries_[place] = std::move(entry);
}

Ring::Entry Ring::remove(const BatchKey& key) {
  const auto place = places_.find(key);
  const auto at = entries_.find(place->second);
  Entry entry = std::move(at->second);
  entries_.erase(at);
  places_.erase(place);
  bytes_ -= entry.body.size();
  bytes_of_plugin_[entry.row.plugin] -= entry.body.size();
  return entry;
}

void Ring::take(Write&& write, bool limbo, const PassOver& out) {
  Entry entry{write.row, std::move(write.body), limbo, write.run.reported_losses};
  if (!limbo) {
    EpochTally& epoch = epochs_.at(entry.row.key.epoch);
    epoch.last_seq = entry.row.key.seq;
    epoch.produced += entry.row.documents;
  }
  for (const Loss& told : entry.told) narrow(told);
  const std::string plugin = entry.row.plugin;
  const BatchKey key = entry.row.key;
  put(std::move(entry));
  if (write.given_up > 0) return lose(key, "memory");
  keep_to_the_caps(plugin, out);
}

void Ring::keep_to_the_caps(const std::string& plugin, const PassOver& out) {
  while (bytes_of_plugin_[plugin] > kMemoryBytesOfPluginMax || bytes_ > kMemoryBytesMax) {
    if (!drop_oldest(plugin, out)) return;
  }
}

bool Ring::drop_oldest(const std::string& plugin, const PassOver& out) {
  for (const auto& [place, entry] : entries_) {
    if (entry.row.plugin != plugin || out(entry.row.key)) continue;
    const BatchKey key = entry.row.key;
    lose(key, "memory");
    return true;
  }
  return false;
}

const Ring::Entry* Ring::find(const BatchKey& key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_.at(place->second);
}

const Ring::Entry* Ring::newest(const PassOver& pass_over) const {
  const auto at =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const auto& item) { return !pass_over(item.second.row.key); });
  return at == entries_.rend() ? nullptr : &at->second;
}

const Ring::Entry* Ring::oldest(const PassOver& pass_over) const {
  const auto at =
      std::find_if(entries_.begin(), entries_.end(), [&](const auto& item) { return !pass_over(item.second.row.key); });
  return at == entries_.end() ? nullptr : &at->second;
}

void Ring::acknowledge(const BatchKey& key) {
  Entry entry = remove(key);
  for (const Loss& told : entry.told) {
    if (told.id > 0) settled_.push_back(told);
    losses_.erase(std::remove_if(losses_.begin(), losses_.end(), [&](const Loss& loss) { return loss.id == told.id; }),
                  losses_.end());
  }
  if (!entry.limbo) {
    epochs_.at(key.epoch).acknowledged += entry.row.documents;
    return;
  }
  entry.body.clear();
  ended_keys_.insert(key);
  ended_.push_back({std::move(entry), ""});
}

// What it was to tell is without a messenger again: nobody's `told` names it any more.
void Ring::lose(const BatchKey& key, const std::string& reason) {
  Entry entry = remove(key);
  if (!entry.limbo) {
    epochs_.at(key.epoch).lost += entry.row.documents;
    return add_loss(entry.row, reason);
  }
  entry.body.clear();
  ended_keys_.insert(key);
  ended_.push_back({std::move(entry), reason});
}

void Ring::ended_on_disk(const BatchRow& row, const std::string& reason) {
  ended_keys_.insert(row.key);
  ended_.push_back({Entry{row, "", false, {}}, reason});
}

// As Ledger::narrow(): what a loss grew by since it was told stays behind.
void Ring::narrow(const Loss& told) {
  const auto at = std::find_if(losses_.begin(), losses_.end(), [&](const Loss& loss) { return loss.id == told.id; });
  if (at == losses_.end() || at->documents <= told.documents) return;
  Loss rest = *at;
  *at = told;
  rest.id = --last_loss_id_;
  rest.first_seq = std::min(told.last_seq + 1, rest.last_seq);
  rest.documents -= told.documents;
  losses_.push_back(rest);
}

void Ring::add_loss(const BatchRow& row, const std::string& reason) {
  for (Loss& loss : losses_) {
    const bool next = loss.last_seq + 1 == row.key.seq || loss.last_seq == row.key.seq;
    if (!next || loss.reason != reason || loss.epoch != row.key.epoch || is_told(loss.id)) continue;
    loss.last_seq = row.key.seq;
    loss.documents += row.documents;
    loss.first_unix_ns = std::min(loss.first_unix_ns, row.first_unix_ns);
    loss.last_unix_ns = std::max(loss.last_unix_ns, row.last_unix_ns);
    return;
  }
  losses_.push_back(
      {--last_loss_id_, reason, row.key.epoch, row.key.seq, row.key.seq, row.documents, row.first_unix_ns, row.last_unix_ns});
}

Expected<bool> Ring::split(const BatchKey& key, const SpoolOptions& options) {
  const Entry& whole = *find(key);
  if (whole.limbo) return only_on_disk("split", key);
  PGA_TRY(auto halves, halve(whole.row, whole.body, options));
  if (!halves) return false;
  const Entry old = remove(key);
  for (std::size_t i = 0; i < 2; ++i) {
    auto& [row, body] = (*halves)[i];
    put({std::move(row), std::move(body), false, i == 0 ? old.told : std::vector<Loss>()});
  }
  return true;
}

Outcome Ring::rekey(const BatchKey& key, const SpoolOptions& options) {
  const Entry& entry = *find(key);
  if (entry.limbo) return only_on_disk("rename", key);
  if (key.epoch == current_) begin_epoch();
  PGA_TRY(auto again, reseal(entry.row, entry.body, next_key(), options));
  Entry old = remove(key);
  epochs_.at(key.epoch).produced -= old.row.documents;
  EpochTally& epoch = epochs_.at(current_);
  epoch.last_seq = again.row.key.seq;
  epoch.produced += again.row.documents;
  put({std::move(again.row), std::move(again.body), false, std::move(old.told)});
  return {};
}

std::vector<Loss> Ring::unreported() const {
  std::vector<Loss> losses;
  for (const Loss& loss : losses_) {
    if (!is_told(loss.id)) losses.push_back(loss);
  }
  return losses;
}

bool Ring::is_told(std::int64_t loss) const {
  const auto is_it = [loss](const Loss& told) { return told.id == loss; };
  if (std::any_of(settled_.begin(), settled_.end(), is_it)) return true;
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& item) {
    const auto& told = item.second.told;
    return std::any_of(told.begin(), told.end(), is_it);
  });
}

void Ring::add_to(SpoolStatus& status) const {
  for (const auto& [epoch, tally] : epochs_) {
    status.produced_documents += tally.produced;
    status.acknowledged_documents += tally.acknowledged;
    status.lost_documents += tally.lost;
  }
  for (const auto& [place, entry] : entries_) {
    if (entry.limbo) status.produced_documents += entry.row.documents;
    status.memory_documents += entry.row.documents;
    if (status.oldest_unix_ns == 0) status.oldest_unix_ns = entry.row.first_unix_ns;
  }
  for (const Ended& ended : ended_) {
    const std::uint64_t documents = ended.entry.row.documents;
    (ended.reason.empty() ? status.acknowledged_documents : status.lost_documents) += documents;
    if (ended.entry.limbo) {
      status.produced_documents += documents;
    } else {
      status.waiting_documents -= documents;
      status.waiting_batches -= 1;
      status.waiting_bytes -= ended.entry.row.bytes;
    }
  }
  status.memory_batches += entries_.size();
  status.memory_bytes += bytes_;
  status.waiting_batches += entries_.size();
  status.waiting_documents += status.memory_documents;
  status.waiting_bytes += bytes_;
  status.epoch = current_;
  status.last_seq = tally().last_seq;
}

}  // namespace pganalytics::spool
