// A copy of the spool's file, made while the spool is in use: batches that wait, plugins' state, the books, the last good
// configurations, all as of one moment.
//
// A copy is a single file that becomes a spool by being put in the place of spool.db. It says of itself that it is a copy: the
// spool that opens it keeps what waits under the keys it has (the server may know them) and seals all that is new in a new epoch.
//
// Not here: when copies are made and how many are kept (core/collector/state_backup.h). [any thread, with its own connection]
#pragma once

#include <atomic>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

constexpr const char* kRestoredValue = "restored";  // key in table value: the epoch that grew when the copy was made

// Copies the spool in `dir` to the file `to` (0600), whole or not at all: written as `to`.tmp, checked, synced, renamed. Reads
// beside the running spool without holding it up. Blocks as long as it takes; `stop` ends it within a few milliseconds on a disk
// that answers.
// PGA_E_NOTFOUND: no spool there; error.code "spool.backup_stopped".
Outcome back_up(const std::string& dir, const std::string& to, const std::atomic<bool>& stop);

}  // namespace pganalytics::spool
