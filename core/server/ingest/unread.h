// Documents that came before their schema, read when it is there: the server's housekeeping. [any thread]
#pragma once

#include "core/server/ingest/known_schemas.h"
#include "core/server/store/store.h"

#include <pganalytics/expected.hpp>

namespace pganalytics::server::ingest {

// Those of one push. False: there are none that could be read now. A document that is not as its schema says stays stored and has
// no rows; one line in the log tells how many.
// cancel_fd: as in Store::read_unread.
Expected<bool> read_next_unread(store::Store& store, KnownSchemas& schemas, int cancel_fd = -1);

}  // namespace pganalytics::server::ingest
