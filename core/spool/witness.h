// What the spool's figures were, in a small file beside it: <dir>/spool.tally.
//
// A database cannot tell what it has forgotten: cut to nothing, or with a log that ends too early, it looks new or merely older.
// The witness can. It is written after each commit, without an fsync of its own, so it may be behind the database (a kill between
// the two, a power cut) and is never ahead of a sound one. Two slots take turns, each with a checksum: a torn write costs one.
// Losing the file costs nothing while the database is sound. Which batches were handed out it says for the database, too: their
// marks have no checksum (tables.h). Private to core/spool. [storage thread]
#pragma once

#include "core/spool/ledger.h"
#include "core/spool/sqlite.h"
#include "core/spool/waiting_keys.h"

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::spool {

// The figures of one moment.
struct Testimony {
  struct Epoch : EpochTally {
    bool complete = true;  // `waiting` is all that waited; otherwise there were too many runs of it
    WaitingKeys::Epoch waiting;
  };
  std::vector<Epoch> epochs;                    // the newest ones
  std::map<std::string, std::uint64_t> states;  // by plugin: a digest of all its state
  std::uint64_t ledger_documents = 0;           // that the rows of the loss ledger tell
  std::vector<BatchKey> tried;                  // handed out and not ended, the first kTriedMax

  [[nodiscard]] const Epoch* find(const std::string& epoch) const;
};

// How far an epoch has come: none of these figures ever shrinks.
inline std::uint64_t progress_of(const EpochTally& epoch) { return epoch.last_seq + epoch.acknowledged + epoch.lost; }

class Witness {
 public:
  // Makes the file when it is absent. One that cannot be read has nothing to say.
  static Expected<Witness> open(const std::string& dir);
  Witness(Witness&& other) noexcept;
  Witness& operator=(Witness&&) = delete;
  ~Witness();

  // Hears of every change of `database` from now on; the witness is gone before it is closed.
  Outcome follow(Database& database);

  // What it says; nullopt: nothing, a new file or a damaged one.
  [[nodiscard]] const std::optional<Testimony>& said() const { return said_; }
  // After a commit of the database that it follows. A failure is told in the log once: the database is what counts.
  void note(Database& database);

 private:
  Witness(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void read();
  Expected<Testimony> testify(Database& database);
  struct Questions {  // what is asked of the database each time
    Statement epochs, ledger, states, tried;
  };
  Outcome write(const Testimony& testimony);

  int fd_ = -1;
  std::string path_;
  std::uint64_t turn_ = 0;  // of the newest slot
  std::optional<Testimony> said_;
  std::optional<WaitingKeys> waiting_;
  std::optional<Questions> questions_;
  bool complained_ = false;
};

}  // namespace pganalytics::spool
