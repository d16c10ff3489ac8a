// The rows of documents, by their plugin's schema, into the batch that the store will be given.
//
// Each document is taken whole or not at all. Rows whose time is more than a day ahead of this server's clock, or before all that
// the collector keeps, are counted and left out. One thread at a time.
#pragma once

#include "core/schema/family_rows.h"
#include "core/server/ingest/known_schemas.h"
#include "core/server/store/row_batch.h"
#include "core/server/store/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::ingest {

class DocumentRows {
 public:
  DocumentRows(store::Store& store, const std::string& collector_id);  // the store must outlive it

  // `schema` must live as long as this. An Error with a retry (PGA_E_TRANSIENT, PGA_E_DEADLINE) is the store's; every other one
  // is the document's: "schema_mismatch", "timestamp_invalid", "bad_event", "too_many_rows".
  Outcome read(const KnownSchema& schema, std::string_view document, std::int64_t document_unix_ns);

  // What was read; nullptr: no document. Then this is empty.
  std::unique_ptr<store::RowBatch> take() { return std::move(batch_); }

 private:
  Expected<std::int64_t> time_of(const schema::FamilyRow& row, std::int64_t document_unix_ns);
  Expected<bool> is_in_time(std::int64_t unix_ns);

  store::Store& store_;
  const std::string collector_id_;
  const std::int64_t now_unix_ns_;
  std::optional<std::int64_t> oldest_unix_ns_;  // asked for when a row is old
  std::string_view time_text_;                  // of the row before, in the same document: most have the same
  std::int64_t time_unix_ns_ = 0;
  const KnownSchema* schema_ = nullptr;  // what `rows_` is for
  std::unique_ptr<schema::FamilyRows> rows_;
  std::unique_ptr<store::RowBatch> batch_;
};

}  // namespace pganalytics::server::ingest
