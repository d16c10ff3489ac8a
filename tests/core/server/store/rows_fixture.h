// Documents of a plugin pushed with their rows, as ingest does it, and what is in the database afterwards.
#pragma once

#include "core/schema/families.h"
#include "core/server/store/row_batch.h"
#include "tests/core/server/store/store_fixture.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pganalytics::testing {

// A plugin's schema, known to a store.
struct Plugin {
  std::string id;
  schema::Families families;
  std::vector<server::store::StoredFamily> stored;
};

Plugin add_plugin(server::store::Store& store, const std::string& id, const std::string& schema_text);

// The rows of `documents`, each at `unix_ns` unless it says when.
std::unique_ptr<server::store::RowBatch> rows_of(const Plugin& plugin, const std::string& collector_id,
                                                 const std::vector<std::string>& documents, std::int64_t unix_ns);

// A push of them with their rows; must be stored.
void push_rows(server::store::Store& store, const Plugin& plugin, const std::string& collector_id, std::uint64_t seq,
               const std::vector<std::string>& documents, std::int64_t unix_ns = kStart);

// A schema whose documents are {"tables":[{"name", "owner", "size_bytes", "scans", "definition"}], "errors":[...]}.
extern const char kTablesSchema[];

}  // namespace pganalytics::testing
