// The rows of a push: each document read by its plugin's schema, if that is known.
//
// Which schema a document has, its envelope says; where it says nothing, the plugin's newest one is taken. Documents with a
// schema that is not there are stored and read later (unread.h). [worker threads]
#pragma once

#include "core/server/ingest/known_schemas.h"
#include "core/server/ingest/push_request.h"
#include "core/server/store/row_batch.h"
#include "core/server/store/store.h"

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::ingest {

struct PushRows {
  std::unique_ptr<store::RowBatch> rows;  // nullptr: no document was read
  std::vector<store::UnreadDocuments> unread;
};

// A document that is not as its schema says gets its fault in the envelope, as others there. An Error: the store's.
Expected<PushRows> read_rows(store::Store& store, KnownSchemas& schemas, const std::string& collector_id, Envelope& envelope);

}  // namespace pganalytics::server::ingest
