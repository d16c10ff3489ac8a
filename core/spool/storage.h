// The thread that owns the disk, and what it does when the disk fails.
//
// Two modes. "disk": each group of runs is one transaction; a failure closes the file and tries again through a new handle (an
// fsync is never repeated on one that failed), room is made by dropping the oldest, a damaged file is salvaged. After three
// failures within a minute, or at once when the file cannot be had at start: "memory": runs go to the ring (ring.h), delivery
// goes on from there and from what can still be read; every 30 s the file is opened anew, and what waits moves to it with its
// numbers. What a SIGKILL means in each state stands in spool.h.
//
// Private to core/spool. Not here: SQL (disk_store.h), what the main thread may ask (mirror.h), who waits how long
// (write_queue.h).
#pragma once

#include "core/spool/disk_store.h"
#include "core/spool/mirror.h"
#include "core/spool/reserve.h"
#include "core/spool/ring.h"
#include "core/spool/spool_lock.h"
#include "core/spool/write_queue.h"

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::spool {

class Storage {
 public:
  // Opens the file in the caller's thread. error.code "spool.locked", "spool.format"; anything else only with options.disk_only.
  static Expected<std::shared_ptr<Storage>> open(const std::string& dir, const SpoolOptions& options);

  // The storage thread's whole life: until the queue is ended and empty.
  void run();

  [[nodiscard]] WriteQueue& queue() { return queue_; }  // [any thread]
  [[nodiscard]] Mirror& mirror() { return mirror_; }    // [any thread]
  [[nodiscard]] const SpoolOptions& options() const { return options_; }

  // For calls that the queue brings. [storage thread]
  Expected<std::optional<Batch>> next(Lane lane);
  Outcome hold(const BatchKey& key);
  void release(const BatchKey& key) { held_.erase(key); }
  Outcome acknowledge(const BatchKey& key);
  Outcome set_aside(const BatchKey& key, const std::string& reason);
  Expected<bool> split(const BatchKey& key);
  Outcome rekey(const BatchKey& key);
  void set_encoding(compression::Encoding encoding) { options_.encoding = encoding; }
  void set_caps(const SpoolCaps& caps) { static_cast<SpoolCaps&>(options_) = caps; }
  // The figures of now, for the mirror: before anybody hears that a step ended.
  void publish();

 private:
  using DiskWork = std::function<Outcome(DiskStore&)>;
  // A waiting batch: in the ring, or in the file.
  struct Found {
    const Ring::Entry* entry = nullptr;
    std::optional<BatchRow> row;
  };

  Storage(std::string dir, const SpoolOptions& options)
      : dir_(std::move(dir)), options_(options), queue_(*options_.clock), reserve_(dir_) {}

  Outcome start();
  Outcome take_lock();
  void write(std::vector<Write>& writes);
  void keep_in_memory(std::vector<Write>& writes);
  void remember_unsaved(const Write& write);
  [[nodiscard]] std::vector<Write> unsaved() const;
  void leave();

  // Once; makes room and tries again when the disk is full.
  Outcome attempt(const DiskWork& work, std::uint64_t bytes);
  // On the disk, in spite of a failure now and then. PGA_E_TRANSIENT: not now; the mode may be another one.
  Outcome on_disk(const DiskWork& work, std::uint64_t bytes);
  // The same on a batch as the file has it then: another handle may know that it has ended, or have it in another row.
  using RowWork = std::function<Outcome(DiskStore&, const BatchRow&)>;
  Outcome on_row(const BatchKey& key, const RowWork& work, std::uint64_t bytes);
  void failed(const Error& error);
  void taint();
  Error not_now(Error error);  // one that passes: whoever asked asks again
  Outcome reopen();
  Outcome usable();
  Outcome put_back();
  void go_to_memory(const Error& why);
  Outcome go_to_disk();
  Outcome adopt_ring();
  void say(const std::string& line, bool news);

  Outcome readable();
  Expected<std::optional<Found>> choose(Lane lane);
  Expected<Found> locate(const BatchKey& key);
  [[nodiscard]] DiskStore::PassOver passed_over(Lane lane) const;
  [[nodiscard]] bool is_out(const BatchKey& key) const { return key == out_[0] || key == out_[1]; }
  void ended(const BatchKey& key);

  const std::string dir_;
  SpoolOptions options_;
  WriteQueue queue_;
  Mirror mirror_;
  Reserve reserve_;
  std::optional<SpoolLock> lock_;
  std::unique_ptr<DiskStore> disk_;  // the newest handle that could be read
  bool tainted_ = false;             // a write through it failed: nothing more is written with it
  bool loaded_ = false;              // the mirror has what the file had
  std::optional<Ring> ring_;         // memory mode
  std::string away_;                 // why
  std::map<std::string, SealedRun> unsaved_states_;
  std::map<std::string, std::optional<std::string>> unsaved_values_;
  // Removed by a transaction that failed, and perhaps gone from the file: dropped and counted, or waiting there under other keys.
  // Not to be delivered before a new handle has told.
  std::set<BatchKey> doubtful_;
  std::int64_t position_ = 0;
  std::deque<std::int64_t> failures_ms_;
  std::chrono::steady_clock::time_point try_again_at_;  // in memory mode
  std::optional<std::chrono::steady_clock::time_point> said_at_;
  SpoolStatus disk_status_;  // as last read
  std::vector<Loss> disk_losses_;

  std::array<std::optional<BatchKey>, 2> out_;  // by lane: handed out
  std::set<BatchKey> held_;
};

}  // namespace pganalytics::spool
