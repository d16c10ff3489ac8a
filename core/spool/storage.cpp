#include "core/spool/storage.h"

#include "core/files/files.h"
#include "core/log/log.h"
#include "core/spool/spool_file.h"

#include <algorithm>

namespace pganalytics::spool {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto kRemindEvery = std::chrono::minutes(10);
constexpr auto kIdle = std::chrono::minutes(1);
constexpr auto kSlow = std::chrono::seconds(1);
constexpr int kRoomTries = 4;
constexpr std::uint64_t kRoomBytes = std::uint64_t{1} << 20;

std::int64_t steady_ms() { return std::chrono::duration_cast<milliseconds>(SteadyClock::now().time_since_epoch()).count(); }

// Of another collector, or of a newer program: nothing that passes.
bool is_final(const Error& error) { return error.code == "spool.locked" || error.code == "spool.format"; }

}  // namespace

// Life -----------------------------------------------------------------------------------------------------------------------

Expected<std::shared_ptr<Storage>> Storage::open(const std::string& dir, const SpoolOptions& options) {
  std::shared_ptr<Storage> storage(new Storage(dir, options));
  PGA_CHECK(storage->start());
  return storage;
}

Outcome Storage::start() {
  Outcome opened = take_lock();
  if (opened) opened = reopen();
  if (!opened && (options_.disk_only || is_final(opened.error()))) return opened;
  if (!opened && !disk_) {
    if (auto readable = DiskStore::open(dir_, options_, DiskStore::Access::kRead)) disk_ = std::move(readable).value();
  }
  if (!opened) {
    tainted_ = true;
    go_to_memory(opened.error());
  }
  if (disk_) {
    auto states = disk_->states();
    auto values = disk_->values();
    loaded_ = states && values;
    if (loaded_) mirror_.load(std::move(states).value(), std::move(values).value());
  }
  publish();
  return {};
}

Outcome Storage::take_lock() {
  PGA_CHECK(files::make_directories(dir_, 0700));
  PGA_TRY(lock_, SpoolLock::take(dir_));
  return {};
}

void Storage::run() {
  for (;;) {
    WriteQueue::Work work = queue_.take(ring_ ? try_again_at_ : SteadyClock::now() + kIdle);
    if (work.call) {
      work.call();  // publishes before it answers
    } else if (!work.writes.empty()) {
      write(work.writes);
    } else if (queue_.ending()) {
      break;
    }
    if (ring_ && SteadyClock::now() >= try_again_at_) {
      if (const Outcome back = go_to_disk(); !back) say("the spool is still in memory: " + back.error().message, false);
    }
    publish();
    queue_.finish(work.writes);
  }
  leave();
  queue_.left();
}

// The last chance of what is in memory only.
void Storage::leave() {
  if (!ring_) return;
  const Outcome back = go_to_disk();
  if (back) return;
  SpoolStatus left;
  ring_->add_to(left);
  const std::string batches =
      std::to_string(left.memory_documents) + " documents in " + std::to_string(left.memory_batches) + " batches";
  log::error("stopping while the spool is in memory: " + (left.memory_documents > 0 ? batches + " are lost" : "nothing waits") +
             ", plugins go on from what the disk knows: " + back.error().message);
}

// Writing --------------------------------------------------------------------------------------------------------------------

void Storage::write(std::vector<Write>& writes) {
  const auto begun = SteadyClock::now();
  std::uint64_t bytes = 0;
  for (const Write& one : writes) bytes += one.bytes();
  while (!ring_) {
    const Outcome done = on_disk([&](DiskStore& disk) { return disk.write(writes); }, bytes);
    if (done) break;
    if (options_.disk_only) {
      for (Write& one : writes) one.receipt->error = done.error();
      return;
    }
    queue_.pause(milliseconds(options_.pace.pause_ms));
  }
  if (ring_) keep_in_memory(writes);
  for (Write& one : writes) {
    one.receipt->seq = one.row.key.seq;
    mirror_.ended(one.run.reported_losses);
  }
  if (!ring_ && SteadyClock::now() - begun > kSlow) say("the disk of " + dir_ + " is slow; runs wait in memory for it", false);
}

void Storage::keep_in_memory(std::vector<Write>& writes) {
  for (Write& one : writes) {
    remember_unsaved(one);
    if (!one.has_batch()) continue;
    const bool limbo = one.has_key();
    const std::int64_t now_ns = disk_ ? disk_->now_ns() : options_.clock->unix_ns();
    if (!limbo) prepare(one, ring_->next_key(), ++position_, now_ns, options_);
    position_ = std::max(position_, one.row.position);
    Write kept;  // the caller's own keeps its receipt
    kept.row = one.row;
    kept.body = std::move(one.body);
    kept.given_up = one.given_up;
    kept.run.reported_losses = one.run.reported_losses;
    ring_->take(std::move(kept), limbo, [this](const BatchKey& key) { return is_out(key); });
  }
  queue_.set_room(kMemoryBytesMax - std::min(kMemoryBytesMax, ring_->bytes()));
}

void Storage::remember_unsaved(const Write& write) {
  for (const auto& [key, value] : write.run.state) {
    SealedRun& run = unsaved_states_[write.run.plugin];
    run.plugin = write.run.plugin;
    run.state[key] = value;
  }
  for (const auto& [key, value] : write.values) unsaved_values_[key] = value;
}

std::vector<Write> Storage::unsaved() const {
  std::vector<Write> writes(1);
  writes.front().values = unsaved_values_;
  for (const auto& [plugin, run] : unsaved_states_) {
    writes.emplace_back();
    writes.back().run = run;
  }
  return writes;
}

// Failing --------------------------------------------------------------------------------------------------------------------

Outcome Storage::attempt(const DiskWork& work, std::uint64_t bytes) {
  PGA_CHECK(usable());
  Outcome done = work(*disk_);
  if (done || done.error().code != "spool.full") return done;
  reserve_.give_up();
  for (int i = 0; i < kRoomTries && !done && done.error().code == "spool.full"; ++i) {
    PGA_TRY(const bool room, disk_->make_room((kRoomBytes + bytes) << i, [this](const BatchKey& key) { return is_out(key); }));
    done = work(*disk_);
    if (!room) break;
  }
  if (done) reserve_.make();
  return done;
}

Outcome Storage::on_disk(const DiskWork& work, std::uint64_t bytes) {
  Outcome done = attempt(work, bytes);
  if (done || done.error().status == PGA_E_NOTFOUND || done.error().code == "spool.corrupt_batch") return done;
  return not_now(done.error());
}

Error Storage::not_now(Error error) {
  failed(error);
  error.status = PGA_E_TRANSIENT;
  return error;
}

// In memory mode the next try is on its way; a file that cannot even be read is let go.
void Storage::failed(const Error& error) {
  if (ring_) return disk_.reset();
  log::write(log::Level::kWarn, "spool", error);
  const std::int64_t now_ms = steady_ms();
  failures_ms_.push_back(now_ms);
  while (now_ms - failures_ms_.front() > options_.pace.window_ms) failures_ms_.pop_front();
  if (error.code != "spool.gone" && error.code != "spool.full") taint();
  if (error.code == "spool.corrupt") disk_.reset();  // salvaged when it is opened
  if (failures_ms_.size() >= static_cast<std::size_t>(options_.pace.failures)) go_to_memory(error);
}

void Storage::taint() {
  tainted_ = true;
  if (disk_) doubtful_.insert(disk_->in_doubt().begin(), disk_->in_doubt().end());
}

// A handle that may be written through. As long as nothing can be written, one that failed still reads, which is worth more than
// none.
Outcome Storage::usable() {
  if (disk_ && !disk_->in_place()) return put_back();
  if (disk_ && !tainted_) return {};
  if (!lock_) PGA_CHECK(take_lock());
  PGA_CHECK(reserve_.probe());
  return reopen();
}

// The old handle goes first: it must not sync again what it failed to, and a damaged file is salvaged before SQLite reads it.
Outcome Storage::reopen() {
  disk_.reset();
  auto fresh = DiskStore::open(dir_, options_, DiskStore::Access::kWrite);
  if (fresh) {
    disk_ = std::move(fresh).value();
    tainted_ = false;
    if (!ring_) doubtful_.clear();
    reserve_.make();
    return {};
  }
  tainted_ = true;
  if (auto readable = DiskStore::open(dir_, options_, DiskStore::Access::kRead)) disk_ = std::move(readable).value();
  return std::move(fresh).error();
}

// A file that was moved or deleted is written again, from the handle that still has it.
Outcome Storage::put_back() {
  const std::string path = database_path(dir_);
  Outcome back = disk_->can_be_put_back();
  if (back) {
    lock_.reset();
    back = take_lock();
    // The folder at that path is another one by now, and another collector's. What this one had lies where it was moved to; when
    // the other is gone, this one goes on in the other's file.
    if (!back && back.error().code == "spool.locked") disk_.reset();
  }
  if (back) back = disk_->put_back();
  if (!back) {
    Error error = std::move(back).error().while_doing("the spool's file " + path + " is gone");
    error.code = "spool.gone";
    return error;
  }
  log::warn("the spool's file " + path + " was gone or another one; it is written again");
  return reopen();
}

void Storage::go_to_memory(const Error& why) {
  if (options_.disk_only) return;
  ring_.emplace(options_.collector_id);
  if (disk_) position_ = std::max(position_, disk_->position());
  away_ = why.message;
  failures_ms_.clear();
  try_again_at_ = SteadyClock::now() + milliseconds(options_.pace.retry_ms);
  say("the spool goes on in memory, at most " + std::to_string(kMemoryBytesMax >> 20) + " MiB: " + why.message, true);
  if (!why.hint.empty()) log::info("spool: " + why.hint);
}

// Back from memory, with everything; or not yet, and nothing has changed.
Outcome Storage::go_to_disk() {
  try_again_at_ = SteadyClock::now() + milliseconds(options_.pace.retry_ms);
  if (!lock_) PGA_CHECK(take_lock());  // the reserve is another's otherwise
  reserve_.give_up();
  PGA_CHECK(usable());
  if (Outcome adopted = adopt_ring(); !adopted) {
    if (adopted.error().code != "spool.full") taint();  // as in failed(): the next try is another handle's
    return adopted;
  }
  const std::size_t batches = ring_->batches();
  ring_.reset();
  doubtful_.clear();
  away_.clear();
  unsaved_states_.clear();
  unsaved_values_.clear();
  queue_.set_room(kMemoryBytesMax);
  reserve_.make();
  say("the spool is on the disk again; " + std::to_string(batches) + " batches moved there from memory", true);
  return {};
}

Outcome Storage::adopt_ring() {
  if (!loaded_) {
    PGA_TRY(auto states, disk_->states());
    PGA_TRY(auto values, disk_->values());
    mirror_.load(std::move(states), std::move(values));
    loaded_ = true;
  }
  const std::vector<Write> writes = unsaved();
  const DiskWork work = [&](DiskStore& disk) -> Outcome {
    for (const auto& out : out_) {  // those of the file that were handed out meanwhile
      if (!out) continue;
      PGA_TRY(const auto row, disk.find(*out));
      if (row) PGA_CHECK(disk.mark_tried(*row));
    }
    return disk.adopt(*ring_, writes, [this](const BatchKey& key) { return is_out(key); });
  };
  Outcome adopted = work(*disk_);
  if (adopted || adopted.error().code != "spool.full") return adopted;
  reserve_.give_up();
  // The server may have them, and the file does not know it yet.
  const auto spared = [this](const BatchKey& key) { return is_out(key) || ring_->has_ended(key); };
  PGA_CHECK(disk_->make_room(kRoomBytes + ring_->bytes(), spared));
  return work(*disk_);
}

// News at once, the rest every ten minutes.
void Storage::say(const std::string& line, bool news) {
  const auto now = SteadyClock::now();
  if (!news && said_at_ && now - *said_at_ < kRemindEvery) return;
  said_at_ = now;
  log::warn(line);
}

void Storage::publish() {
  if (disk_) {
    // A file that cannot be read now has said its figures before.
    if (auto status = disk_->status()) disk_status_ = std::move(status).value();
    if (auto losses = disk_->losses()) disk_losses_ = std::move(losses).value();
  }
  SpoolStatus status = disk_status_;
  std::vector<Loss> losses;
  for (const Loss& loss : disk_losses_) {
    if (!ring_ || !ring_->is_told(loss.id)) losses.push_back(loss);
  }
  if (ring_) {
    ring_->add_to(status);
    status.mode = "memory";
    status.mode_reason = away_;
    for (Loss& loss : ring_->unreported()) losses.push_back(std::move(loss));
  }
  mirror_.publish(status, std::move(losses));
}

}  // namespace pganalytics::spool
