#include "core/server/ingest/unread.h"

#include "core/log/log.h"
#include "core/server/ingest/document_rows.h"

namespace pganalytics::server::ingest {
namespace {

using store::DocumentRow;

Expected<std::shared_ptr<const KnownSchema>> schema_for(KnownSchemas& schemas, const store::UnreadDocuments& unread) {
  PGA_TRY(auto exact, schemas.find(unread.type, unread.schema_sha256));
  if (exact != nullptr) return exact;
  return schemas.find(unread.type, "");
}

}  // namespace

Expected<bool> read_next_unread(store::Store& store, KnownSchemas& schemas, int cancel_fd) {
  const auto read = [&](const store::UnreadDocuments& unread, const std::string& collector_id,
                        const std::vector<DocumentRow>& documents) -> Expected<std::unique_ptr<store::RowBatch>> {
    PGA_TRY(const auto schema, schema_for(schemas, unread));
    if (schema == nullptr) return std::unique_ptr<store::RowBatch>();
    DocumentRows reader(store, collector_id);
    std::size_t refused = 0;
    for (const DocumentRow& document : documents) {
      const Outcome read_one = reader.read(*schema, document.document, document.timestamp_unix_ns);
      if (read_one) continue;
      if (read_one.error().status == PGA_E_TRANSIENT || read_one.error().status == PGA_E_DEADLINE) return read_one.error();
      ++refused;
    }
    if (refused > 0) {
      log::warn(std::to_string(refused) + " stored documents of " + unread.type + " from collector " + collector_id +
                " are not as their schema says: they have no rows");
    }
    return reader.take();
  };
  return store.read_unread(read, cancel_fd);
}

}  // namespace pganalytics::server::ingest
