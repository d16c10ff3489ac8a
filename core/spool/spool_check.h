// Whether a spool's file is what was written: asked when it is opened, before anything is served from it.
//
// Private to core/spool. Not here: what is done about a damaged one (salvage.h). Bodies are not read: each is checked when it is
// sent. error.code "spool.corrupt" says what is wrong. [one thread; the caller holds the spool's lock]
#pragma once

#include "core/spool/sqlite.h"
#include "core/spool/witness.h"

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::spool {

// Before SQLite touches the file, which would delete or shorten a log that it does not understand.
Outcome check_files(const std::string& path, const std::optional<Testimony>& said);

// Its trees (all of them while the file is small: kWholeCheckBytesMax), every row's checksum, the books against the batches, and
// both against the witness.
//
// A row of table tried has no checksum. It is a number alone, and none of the books is kept by it: without its mark a batch is
// sent again under the same key, which the server knows; a mark on another one spares that from the caps until it is sent, which
// is next; a mark on none is passed over. A mark that is missing is made again from what the witness says (salvage.cpp). What is
// left: with the witness gone as well, a batch that the server has may be counted as lost, when a cap comes to it before it is
// handed out again.
constexpr std::int64_t kWholeCheckBytesMax = 64 << 20;
Outcome check_rows(Database& database, const std::optional<Testimony>& said);

}  // namespace pganalytics::spool
