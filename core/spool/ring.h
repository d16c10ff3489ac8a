// What waits in memory while the disk does not take it: batches with numbers of an epoch that only this process knows, and
// losses.
//
// Private to core/spool. Batches weigh at most kMemoryBytesMax together and kMemoryBytesOfPluginMax of one plugin; then that
// plugin's oldest is lost ("memory"), unless it was handed out. Those whose commit failed keep the number they had: whether they
// are in the file is known only when it can be opened again ("in limbo"). DiskStore::adopt() moves all of it to the disk.
// Not here: when there is a ring at all (storage.h). [storage thread]
#pragma once

#include "core/spool/write.h"

#include <functional>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::spool {

class Ring {
 public:
  struct Entry {
    BatchRow row;
    std::string body;
    bool limbo = false;
    std::vector<Loss> told;  // losses that its documents tell
  };
  // A batch of the file, or one in limbo, that ended while the file could not be told.
  struct Ended {
    Entry entry;         // without its body
    std::string reason;  // "": acknowledged
  };
  using PassOver = std::function<bool(const BatchKey&)>;

  explicit Ring(std::string collector_id) : collector_id_(std::move(collector_id)) { begin_epoch(); }

  [[nodiscard]] BatchKey next_key() const { return {current_, tally().last_seq + 1, ""}; }
  // A run that took next_key(), or one whose commit failed. `out`: what may not be dropped for it.
  void take(Write&& write, bool limbo, const PassOver& out);

  [[nodiscard]] const Entry* find(const BatchKey& key) const;
  [[nodiscard]] const Entry* newest(const PassOver& pass_over) const;
  [[nodiscard]] const Entry* oldest(const PassOver& pass_over) const;

  // Of a batch that is here.
  void acknowledge(const BatchKey& key);
  void lose(const BatchKey& key, const std::string& reason);
  Expected<bool> split(const BatchKey& key, const SpoolOptions& options);
  Outcome rekey(const BatchKey& key, const SpoolOptions& options);
  // Of one in the file.
  void ended_on_disk(const BatchRow& row, const std::string& reason);
  [[nodiscard]] bool has_ended(const BatchKey& key) const { return ended_keys_.count(key) != 0; }

  // Losses of the ring, ids below 0, which nobody tells yet; and of those on disk, whether somebody here tells or has told them.
  [[nodiscard]] std::vector<Loss> unreported() const;
  [[nodiscard]] bool is_told(std::int64_t loss) const;
  void add_to(SpoolStatus& status) const;

  // For DiskStore::adopt(). Losses on disk that were told and acknowledged from here.
  [[nodiscard]] const std::map<std::pair<std::int64_t, std::string>, Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::map<std::string, EpochTally>& epochs() const { return epochs_; }
  [[nodiscard]] const std::vector<Ended>& ended() const { return ended_; }
  [[nodiscard]] const std::vector<Loss>& losses() const { return losses_; }
  [[nodiscard]] const std::vector<Loss>& settled() const { return settled_; }
  [[nodiscard]] const std::string& current() const { return current_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t batches() const { return entries_.size(); }

 private:
  using Place = std::pair<std::int64_t, std::string>;  // position, part
  [[nodiscard]] const EpochTally& tally() const { return epochs_.at(current_); }
  void begin_epoch();
  void put(Entry&& entry);
  Entry remove(const BatchKey& key);
  void keep_to_the_caps(const std::string& plugin, const PassOver& out);
  bool drop_oldest(const std::string& plugin, const PassOver& out);
  void narrow(const Loss& told);
  void add_loss(const BatchRow& row, const std::string& reason);

  std::string collector_id_, current_;
  std::map<std::string, EpochTally> epochs_;
  std::map<Place, Entry> entries_;
  std::map<BatchKey, Place> places_;
  std::map<std::string, std::size_t> bytes_of_plugin_;
  std::size_t bytes_ = 0;
  std::vector<Ended> ended_;
  std::set<BatchKey> ended_keys_;
  std::vector<Loss> losses_;
  std::int64_t last_loss_id_ = 0;
  std::vector<Loss> settled_;
};

}  // namespace pganalytics::spool
