// A spool that may be damaged is opened: what is as it was written goes on, what is not is counted, nothing wrong is served.
//
// How it is found out: checksums of every row, SQLite's own check, the books against the batches and against the witness
// (spool_check.h, witness.h). What is done: a new file is made of every sound row (rebuild.h), lost documents go into the ledger
// as "corrupt", new batches get an epoch of their own, the damaged file is kept aside (aside.h). A file in which anything is
// damaged is never written again. Not found by reading: SQLite is not asked to walk a file that it may misread. A plugin whose
// state is not whole begins as new: for the logs plugin that is the end of each file. A cursor that is wrong would skip or repeat
// lines in silence; that one begins anew is an error in the log. Called when a spool is opened, again after error.code
// "spool.corrupt" at run time. [storage thread; with the spool's lock held]
#pragma once

#include "core/spool/rebuild.h"
#include "core/spool/sqlite.h"
#include "core/spool/witness.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

struct Opened {
  Database database;
  Witness witness;  // note() after each commit
  std::optional<Salvaged> salvaged;
};

// <dir>/spool.db, sound. `collector_id` is whose spool it is when a damaged one does not say.
Expected<Opened> open_sound(const std::string& dir, const std::string& collector_id, std::int64_t unix_ns);

}  // namespace pganalytics::spool
