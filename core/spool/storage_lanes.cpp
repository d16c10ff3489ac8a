// Storage: which batch a lane gets and how it ends, wherever it lies.
#include "core/log/log.h"
#include "core/spool/halves.h"
#include "core/spool/storage.h"

namespace pganalytics::spool {
namespace {

std::size_t index_of(Lane lane) { return lane == Lane::kLive ? 0 : 1; }

Error no_such(const BatchKey& key) {
  return Error{PGA_E_NOTFOUND, "spool.batch", "no batch " + key.text() + " waits in the spool", "", 0};
}

// What would be undone by a restart waits for the disk.
Error away(const char* what, const BatchKey& key) {
  return Error{PGA_E_TRANSIENT, "spool.memory",
               std::string("unable to ") + what + " batch " + key.text() + " while the disk it lies on is away", "", 0};
}

Expected<Batch> batch_of(const BatchRow& row, std::string&& body) {
  const auto encoding = compression::parse_content_encoding(row.encoding);
  if (!encoding) return corrupt_batch(row.key);  // GCOVR_EXCL_BR_LINE: the row's checksum is sound, so we wrote it
  return Batch{row.key,          row.plugin,     static_cast<std::uint32_t>(row.documents), row.first_unix_ns, row.last_unix_ns,
               encoding.value(), std::move(body)};
}

}  // namespace

DiskStore::PassOver Storage::passed_over(Lane lane) const {
  return [this, other = out_[1 - index_of(lane)]](const BatchKey& key) {
    if (key == other || held_.count(key) != 0 || doubtful_.count(key) != 0) return true;
    return ring_ && (ring_->has_ended(key) || ring_->find(key) != nullptr);
  };
}

// In disk mode there is a file: one that was damaged, or of which something is in doubt, is opened again first.
Outcome Storage::readable() {
  if (ring_ || (disk_ && doubtful_.empty())) return {};
  Outcome opened = usable();
  if (opened) return opened;
  return not_now(opened.error());
}

Expected<std::optional<Storage::Found>> Storage::choose(Lane lane) {
  std::optional<BatchRow> row;
  const auto from_ring = [&]() -> std::optional<Found> {
    if (!ring_) return std::nullopt;
    const auto pass_over = [&, other = out_[1 - index_of(lane)]](const BatchKey& key) {
      return key == other || held_.count(key) != 0 || doubtful_.count(key) != 0;
    };
    const Ring::Entry* const entry = lane == Lane::kLive ? ring_->newest(pass_over) : ring_->oldest(pass_over);
    return entry == nullptr ? std::nullopt : std::optional(Found{entry, std::nullopt});
  };
  if (lane == Lane::kLive) {
    if (auto found = from_ring()) return found;
  }
  PGA_CHECK(readable());
  if (disk_) {
    auto chosen = disk_->choose(lane, passed_over(lane));
    if (!chosen) return not_now(chosen.error());
    row = std::move(chosen).value();
  }
  if (row) return std::optional(Found{nullptr, std::move(row)});
  return from_ring();
}

Expected<Storage::Found> Storage::locate(const BatchKey& key) {
  if (ring_) {
    if (const Ring::Entry* const entry = ring_->find(key)) return Found{entry, std::nullopt};
    if (ring_->has_ended(key)) return no_such(key);
    if (!disk_) return away("find", key);
  }
  PGA_CHECK(readable());
  auto row = disk_->find(key);
  if (!row) return not_now(row.error());
  if (!*row) return no_such(key);
  return Found{nullptr, std::move(row).value()};
}

Expected<std::optional<Batch>> Storage::next(Lane lane) {
  auto& out = out_[index_of(lane)];
  for (;;) {
    std::optional<Found> found;
    PGA_CHECK(readable());
    if (out && doubtful_.count(*out) != 0) out.reset();
    if (out) {
      auto there = locate(*out);
      if (there) {
        found = std::move(there).value();
      } else if (there.error().status == PGA_E_NOTFOUND || there.error().code == "spool.memory") {
        out.reset();  // one that lies where nothing can be read comes again when something can
      } else {
        return std::move(there).error();
      }
    }
    if (!found) {
      PGA_TRY(found, choose(lane));
      if (!found) return std::optional<Batch>();
      const BatchKey key = found->row ? found->row->key : found->entry->row.key;
      if (found->row && !ring_) {
        const Outcome marked = on_row(
            key, [](DiskStore& disk, const BatchRow& row) { return disk.mark_tried(row); }, 0);
        if (!marked && marked.error().status == PGA_E_NOTFOUND) continue;  // it made room for the mark
        if (!marked) return marked.error();
      }
      out = key;
    }
    if (found->entry != nullptr) {
      PGA_TRY(Batch batch, batch_of(found->entry->row, std::string(found->entry->body)));
      return std::optional(std::move(batch));
    }
    auto body = disk_->body_of(*found->row);
    if (body) {
      PGA_TRY(Batch batch, batch_of(*found->row, std::move(body).value()));
      return std::optional(std::move(batch));
    }
    if (body.error().code != "spool.corrupt_batch") return not_now(body.error());
    log::write(log::Level::kError, "spool", body.error());
    PGA_CHECK(set_aside(found->row->key, "corrupt"));
  }
}

Outcome Storage::on_row(const BatchKey& key, const RowWork& work, std::uint64_t bytes) {
  const auto found = [&](DiskStore& disk) -> Outcome {
    PGA_TRY(const auto row, disk.find(key));
    return row ? work(disk, *row) : Outcome(no_such(key));
  };
  return on_disk(found, bytes);
}

// Its lane may have another one.
void Storage::ended(const BatchKey& key) {
  for (auto& out : out_) {
    if (out == key) out.reset();
  }
  held_.erase(key);
}

Outcome Storage::hold(const BatchKey& key) {
  PGA_TRY(const Found found, locate(key));
  if (!ring_) {
    PGA_CHECK(on_row(
        key, [](DiskStore& disk, const BatchRow& row) { return disk.unmark(row); }, 0));
  }
  ended(key);
  held_.insert(key);
  return {};
}

Outcome Storage::acknowledge(const BatchKey& key) {
  PGA_TRY(Found found, locate(key));
  if (!ring_) {
    PGA_CHECK(on_row(
        key, [](DiskStore& disk, const BatchRow& row) { return disk.acknowledge(row); }, 0));
  } else if (found.entry != nullptr) {
    ring_->acknowledge(key);
  } else {
    ring_->ended_on_disk(*found.row, "");
  }
  ended(key);
  return {};
}

Outcome Storage::set_aside(const BatchKey& key, const std::string& reason) {
  PGA_TRY(Found found, locate(key));
  if (!ring_) {
    PGA_CHECK(on_row(
        key, [&](DiskStore& disk, const BatchRow& row) { return disk.set_aside(row, reason); }, 0));
  } else if (found.entry != nullptr) {
    ring_->lose(key, reason);
  } else {
    ring_->ended_on_disk(*found.row, reason);
  }
  ended(key);
  return {};
}

Expected<bool> Storage::split(const BatchKey& key) {
  PGA_TRY(const Found found, locate(key));
  bool done = false;
  if (found.entry != nullptr) {
    PGA_TRY(done, ring_->split(key, options_));
  } else if (ring_) {
    return away("split", key);
  } else {
    const auto work = [&](DiskStore& disk, const BatchRow& row) -> Outcome {
      PGA_TRY(done, disk.split(row));
      return {};
    };
    PGA_CHECK(on_row(key, work, 2 * found.row->bytes));
  }
  if (done) ended(key);
  return done;
}

Outcome Storage::rekey(const BatchKey& key) {
  PGA_TRY(const Found found, locate(key));
  if (found.entry != nullptr) {
    PGA_CHECK(ring_->rekey(key, options_));
  } else if (ring_) {
    return away("rename", key);
  } else {
    PGA_CHECK(on_row(
        key, [](DiskStore& disk, const BatchRow& row) { return disk.rekey(row); }, found.row->bytes));
  }
  ended(key);
  return {};
}

}  // namespace pganalytics::spool
