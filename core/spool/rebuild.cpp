#include "core/spool/rebuild.h"

#include "core/crypto/digest.h"
#include "core/spool/damaged_spool.h"
#include "core/spool/record.h"
#include "core/spool/spool_file.h"

#include <algorithm>
#include <set>

namespace pganalytics::spool {
namespace {

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

// No epoch has come further than the witness says.
bool within(const FoundRows& found, const Testimony& said) {
  return std::all_of(found.epochs.begin(), found.epochs.end(), [&](const auto& epoch) {
    const auto* const known = said.find(epoch.first);
    return known != nullptr && progress_of(epoch.second) <= progress_of(*known);
  });
}

bool reaches(const FoundRows& found, const Testimony& said) {
  return std::all_of(said.epochs.begin(), said.epochs.end(), [&](const auto& epoch) {
    const auto known = found.epochs.find(epoch.epoch);
    return known != found.epochs.end() && progress_of(known->second) >= progress_of(epoch);
  });
}

// How much of the log counts. What SQLite would see, and all committed after the damage when that is certain; the last
// transaction too when the witness proves that it was promised.
std::size_t frames_of(const FileBytes& database, const FileBytes& log, const Wal& wal, const std::optional<Testimony>& said) {
  const std::size_t sure = wal.broken ? wal.committed : wal.sound;
  if (!said || sure == wal.frames.size()) return sure;
  if (reaches(find_rows(Pages(database, log, wal, sure)), *said)) return sure;
  const FoundRows all = find_rows(Pages(database, log, wal, wal.frames.size()));
  return within(all, *said) ? wal.frames.size() : sure;
}

// What is known of an epoch, and what was found of it.
struct Book {
  EpochTally tally;
  const Testimony::Epoch* testimony = nullptr;  // that the figures are from: what does not wait by it has ended
  std::uint64_t kept = 0, lost = 0;             // documents
  std::set<std::uint64_t> kept_seqs;            // of whole batches
};

class Rebuild {
 public:
  Rebuild(Database& database, const Pages& pages, const std::optional<Testimony>& said, std::string collector_id,
          std::int64_t unix_ns)
      : db_(database), pages_(pages), said_(said), collector_id_(std::move(collector_id)), unix_ns_(unix_ns) {}

  Outcome run() {
    found_ = find_rows(pages_);
    PGA_CHECK(copy_batches());
    PGA_CHECK(copy_losses());
    PGA_CHECK(copy_states());
    PGA_CHECK(copy_values());
    PGA_CHECK(balance());
    return begin_epoch();
  }
  Salvaged salvaged;

 private:
  void open_books();
  Book& book_of(const BatchRow& batch);
  Outcome copy_batches();
  Outcome copy_losses();
  Outcome copy_states();
  Outcome copy_values();
  Outcome balance();
  Outcome balance(Book& book);
  Outcome lose_rest(const Book& book, std::uint64_t documents);
  Outcome begin_epoch();
  Outcome insert_epoch(const EpochTally& tally);
  Outcome insert_loss(const Loss& loss);
  [[nodiscard]] bool witness_is_current() const;
  [[nodiscard]] bool is_whole(const std::string& plugin) const;

  Database& db_;
  const Pages& pages_;
  const std::optional<Testimony>& said_;
  std::string collector_id_;
  std::int64_t unix_ns_;
  FoundRows found_;
  std::map<std::string, Book> books_;
  std::set<std::int64_t> kept_ids_;
  std::optional<Ledger> ledger_;
  std::int64_t sealed_ns_ = 0;  // of the newest batch
};

// The newest figures of each epoch, whoever has them.
void Rebuild::open_books() {
  for (const auto& [id, tally] : found_.epochs) books_[id].tally = tally;
  if (!said_) return;
  for (const auto& epoch : said_->epochs) {
    Book& book = books_[epoch.epoch];
    if (book.tally.epoch.empty() || progress_of(book.tally) <= progress_of(epoch)) {
      book.tally = static_cast<const EpochTally&>(epoch);  // its figures are all that the book wants
      book.testimony = &epoch;
    }
  }
  if (!said_->epochs.empty()) collector_id_ = said_->epochs.front().collector_id;
}

Book& Rebuild::book_of(const BatchRow& batch) {
  Book& book = books_[batch.key.epoch];
  if (book.tally.epoch.empty()) book.tally = {batch.key.epoch, collector_id_, 0, 0, 0, 0};
  book.tally.last_seq = std::max(book.tally.last_seq, batch.key.seq);
  return book;
}

Outcome Rebuild::copy_batches() {
  open_books();
  PGA_TRY(
      Statement insert,
      db_.prepare("INSERT INTO batch (id, position, epoch, seq, part, plugin, documents, first_unix_ns, last_unix_ns, sealed_ns,"
                  " encoding, crc32, record_crc, body_bytes, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  Outcome outcome;
  find_batches(pages_, [&](const BatchRow& batch, const std::function<bool(std::string&)>& read_body) {
    if (!outcome) return;
    Book& book = book_of(batch);
    // An older image of a page may show what was delivered since.
    if (book.testimony != nullptr && book.testimony->complete && !book.testimony->waiting.has(batch.key.seq, batch.key.part))
      return;
    if (!kept_ids_.insert(batch.id).second) return;
    std::string body;
    if (!read_body(body)) {
      kept_ids_.erase(batch.id);
      book.lost += batch.documents;
      outcome = insert_loss({0, "corrupt", batch.key.epoch, batch.key.seq, batch.key.seq, batch.documents, batch.first_unix_ns,
                             batch.last_unix_ns});
      return;
    }
    book.kept += batch.documents;
    if (batch.key.part.empty()) book.kept_seqs.insert(batch.key.seq);
    sealed_ns_ = std::max(sealed_ns_, batch.sealed_ns);
    salvaged.batches += 1;
    outcome = insert.bind(batch.id)
                  .bind(batch.position)
                  .bind(batch.key.epoch)
                  .bind(signed_of(batch.key.seq))
                  .bind(batch.key.part)
                  .bind(batch.plugin)
                  .bind(signed_of(batch.documents))
                  .bind(batch.first_unix_ns)
                  .bind(batch.last_unix_ns)
                  .bind(batch.sealed_ns)
                  .bind(batch.encoding)
                  .bind(batch.body_crc)
                  .bind(record_crc_of(batch))
                  .bind(signed_of(batch.bytes))
                  .bind_blob(body)
                  .done();
  });
  PGA_CHECK(outcome);
  PGA_TRY(Statement mark, db_.prepare("INSERT INTO tried (batch) VALUES (?) ON CONFLICT DO NOTHING"));
  for (const std::int64_t id : found_.tried) {
    if (kept_ids_.count(id) != 0) PGA_CHECK(mark.bind(id).done());
  }
  return {};
}

// A row whose messenger is gone needs another one.
Outcome Rebuild::copy_losses() {
  PGA_TRY(Statement insert, db_.prepare("INSERT INTO loss (reason, epoch, first_seq, last_seq, documents, first_unix_ns,"
                                        " last_unix_ns, crc, carrier) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  std::uint64_t documents = 0;
  for (const auto& [id, loss] : found_.losses) {
    documents += loss.documents;
    insert.bind(loss.reason).bind(loss.epoch).bind(signed_of(loss.first_seq)).bind(signed_of(loss.last_seq));
    insert.bind(signed_of(loss.documents)).bind(loss.first_unix_ns).bind(loss.last_unix_ns).bind(crc_of(loss));
    if (loss.carrier && kept_ids_.count(*loss.carrier) != 0) {
      insert.bind(*loss.carrier);
    } else {
      insert.bind(nullptr);
    }
    PGA_CHECK(insert.done());
  }
  // Rows of the ledger that are gone themselves: why those documents were lost is not known any more, how many is.
  if (!said_ || said_->epochs.empty() || !witness_is_current() || said_->ledger_documents <= documents) return {};
  const auto& epoch = said_->epochs.front();
  return insert_loss({0, "corrupt", epoch.epoch, 1, epoch.last_seq, said_->ledger_documents - documents, unix_ns_, unix_ns_});
}

// Figures found in the file may be newer than the witness, which then says nothing about states and losses.
bool Rebuild::witness_is_current() const {
  return std::all_of(found_.epochs.begin(), found_.epochs.end(), [&](const auto& epoch) {
    const auto* const known = said_->find(epoch.first);
    return known != nullptr && progress_of(*known) >= progress_of(epoch.second);
  });
}

// A cursor without the one beside it may be worse than none: what nobody can vouch for is dropped.
bool Rebuild::is_whole(const std::string& plugin) const {
  if (!said_ || !witness_is_current()) return false;
  const auto known = said_->states.find(plugin);
  std::uint64_t digest = 0;
  for (const auto& [key, value] : found_.states) {
    if (key.first != plugin) continue;
    digest += (std::uint64_t{1} << 40) + static_cast<std::uint64_t>(RecordCrc().add(plugin).add(key.second).add(value).value());
  }
  return known != said_->states.end() && known->second == digest;
}

Outcome Rebuild::copy_states() {
  PGA_TRY(Statement insert, db_.prepare("INSERT INTO state (plugin, key, value, crc) VALUES (?, ?, ?, ?)"));
  std::set<std::string> plugins;
  for (const auto& [key, value] : found_.states) plugins.insert(key.first);
  if (said_ && witness_is_current()) {
    for (const auto& [plugin, digest] : said_->states) plugins.insert(plugin);
  }
  for (const std::string& plugin : plugins) {
    if (!is_whole(plugin)) {
      salvaged.fresh_plugins.push_back(plugin);
      continue;
    }
    for (const auto& [key, value] : found_.states) {
      if (key.first != plugin) continue;
      const std::int64_t crc = RecordCrc().add(plugin).add(key.second).add(value).value();
      PGA_CHECK(insert.bind(plugin).bind(key.second).bind_blob(value).bind(crc).done());
    }
  }
  return {};
}

Outcome Rebuild::copy_values() {
  PGA_TRY(Statement insert, db_.prepare("INSERT INTO value (key, value, crc) VALUES (?, ?, ?)"));
  for (const auto& [key, value] : found_.values) {
    PGA_CHECK(insert.bind(key).bind_blob(value).bind(RecordCrc().add(key).add(value).value()).done());
  }
  return {};
}

Outcome Rebuild::balance() {
  for (auto& [id, book] : books_) {
    PGA_CHECK(balance(book));
    PGA_CHECK(insert_epoch(book.tally));
    salvaged.documents += book.kept;
  }
  return {};
}

// produced = acknowledged + lost + what waits, again.
Outcome Rebuild::balance(Book& book) {
  EpochTally& tally = book.tally;
  const std::uint64_t ended = tally.acknowledged + tally.lost, found = book.kept + book.lost;
  const std::uint64_t waited = tally.produced > ended ? tally.produced - ended : 0;
  if (waited > found) {
    PGA_CHECK(lose_rest(book, waited - found));
    book.lost += waited - found;
  } else if (found > waited) {
    // More waits than the books know: they are older than the batches, or the server has some of them and will say so.
    const std::uint64_t more = found - waited, again = std::min(more, tally.acknowledged);
    tally.acknowledged -= again;
    tally.produced += more - again;
  }
  tally.lost += book.lost;
  salvaged.lost_documents += book.lost;
  return {};
}

// Batches without a trace: how many documents they had is known, which they were only by the hole they leave.
Outcome Rebuild::lose_rest(const Book& book, std::uint64_t documents) {
  const std::uint64_t oldest = book.testimony != nullptr ? std::max<std::uint64_t>(book.testimony->waiting.first(), 1) : 1;
  const std::uint64_t newest = std::max(book.tally.last_seq, oldest);
  std::uint64_t first = oldest, last = newest;
  while (first <= last && book.kept_seqs.count(first) != 0) ++first;
  while (last > first && book.kept_seqs.count(last) != 0) --last;
  if (first > last) {  // no whole batch is missing: a half is
    first = oldest;
    last = newest;
  }
  return insert_loss({0, "corrupt", book.tally.epoch, first, last, documents, unix_ns_, unix_ns_});
}

// What is sealed from now on gets numbers that were never used.
Outcome Rebuild::begin_epoch() {
  EpochTally fresh;
  fresh.epoch = crypto::hex(crypto::random_bytes(16));
  fresh.collector_id = collector_id_;
  if (found_.home) {
    const auto book = books_.find(found_.home->epoch);
    if (book != books_.end()) fresh.collector_id = book->second.tally.collector_id;
  }
  PGA_CHECK(insert_epoch(fresh));
  Home home{fresh.epoch, home_of(db_.path()), std::max(unix_ns_, sealed_ns_), unix_ns_};
  if (found_.home && found_.home->clock_ns > 0) {
    home.clock_ns = found_.home->clock_ns;
    home.wall_ns = found_.home->wall_ns;
  }
  PGA_TRY(Statement insert, db_.prepare("INSERT INTO spool (id, epoch, home, clock_ns, wall_ns, crc) VALUES (1, ?, ?, ?, ?, ?)"));
  return insert.bind(home.epoch).bind(home.home).bind(home.clock_ns).bind(home.wall_ns).bind(crc_of(home)).done();
}

Outcome Rebuild::insert_epoch(const EpochTally& tally) {
  for (const char* const table : {"epoch", "epoch_copy"}) {
    PGA_TRY(Statement insert, db_.prepare((std::string("INSERT INTO ") + table + " VALUES (?, ?, ?, ?, ?, ?, ?)").c_str()));
    PGA_CHECK(insert.bind(tally.epoch)
                  .bind(tally.collector_id)
                  .bind(signed_of(tally.last_seq))
                  .bind(signed_of(tally.produced))
                  .bind(signed_of(tally.acknowledged))
                  .bind(signed_of(tally.lost))
                  .bind(crc_of(tally))
                  .done());
  }
  return {};
}

Outcome Rebuild::insert_loss(const Loss& loss) {
  if (!ledger_) {
    PGA_TRY(ledger_, Ledger::open(db_));
  }
  PGA_CHECK(ledger_->add(loss));
  return {};
}

}  // namespace

Expected<Salvaged> rebuild(const std::string& from, const std::string& to, const std::optional<Testimony>& said,
                           const std::string& collector_id, std::int64_t unix_ns) {
  const FileBytes old(from), log(from + "-wal");
  const Wal wal = read_wal(log);
  const Pages pages(old, log, wal, frames_of(old, log, wal, said));
  PGA_TRY(Database database, open_database(to));
  // Nobody sees it before it is whole: salvage.cpp syncs and renames it.
  PGA_CHECK(database.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
  Rebuild rebuild(database, pages, said, collector_id, unix_ns);
  {
    PGA_TRY(Transaction transaction, Transaction::begin(database));
    PGA_CHECK(rebuild.run());
    PGA_CHECK(transaction.commit());
  }
  PGA_CHECK(database.run("PRAGMA journal_mode = WAL"));
  database.checkpoint_on_close(true);
  return std::move(rebuild.salvaged);
}

}  // namespace pganalytics::spool
