#include "tests/core/server/store/rows_fixture.h"

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/schema/family_rows.h"
#include "core/schema/schema.h"
#include "tests/support/must.h"

namespace pganalytics::testing {

using namespace server::store;

const char kTablesSchema[] = R"({"type":"object","properties":{
  "type":{"type":"string","x-kind":"info"},
  "timestamp":{"type":"string","format":"date-time"},
  "tables":{"type":"array","x-family":"pg_table","description":"Tables, \"quoted\" and 'quoted'","items":{"type":"object","properties":{
    "name":{"type":"string","x-kind":"label","description":"Of the table's"},
    "owner":{"type":["string","null"],"x-kind":"label"},
    "size_bytes":{"type":["integer","null"],"x-kind":"gauge","x-unit":"By","description":"It's size; drop table x; --"},
    "scans":{"type":["integer","null"],"x-kind":"counter","x-unit":"{scan}"},
    "definition":{"type":["string","null"],"x-kind":"info"}}}},
  "errors":{"type":"array","items":{"type":"object","properties":{
    "scope":{"type":"string","x-kind":"label"},"message":{"type":"string","x-kind":"info"},
    "value":{"type":["number","null"],"x-kind":"gauge","x-unit":"1"}}}}}})";

Plugin add_plugin(Store& store, const std::string& id, const std::string& schema_text) {
  const auto schema = must(schema::Schema::parse(schema_text, schema::Schema::Purpose::kOutput));
  auto families = must(schema::Families::compile(schema.document(), id));
  must(store.add_schema({id, crypto::sha256_hex(schema_text), schema_text}, families.all()));
  auto stored = must(store.stored_families(id, families.all()));
  return {id, std::move(families), std::move(stored)};
}

std::unique_ptr<RowBatch> rows_of(const Plugin& plugin, const std::string& collector_id,
                                  const std::vector<std::string>& documents, std::int64_t unix_ns) {
  auto batch = std::make_unique<RowBatch>(collector_id);
  schema::FamilyRows reader(plugin.families);
  for (const std::string& document : documents) {
    must(reader.read(document, [&](const schema::FamilyRow& row) {
      const std::int64_t own_ns = row.time.empty() ? unix_ns : clock::parse_rfc3339(row.time).value();
      return batch->add(plugin.stored[row.family], row, own_ns / 1'000);
    }));
  }
  return batch;
}

void push_rows(Store& store, const Plugin& plugin, const std::string& collector_id, std::uint64_t seq,
               const std::vector<std::string>& documents, std::int64_t unix_ns) {
  const auto rows = rows_of(plugin, collector_id, documents, unix_ns);
  Push push = push_of(collector_id, seq, documents);
  push.rows = rows.get();
  if (must(store.push(push)).kind != PushResult::Kind::kStored) throw std::runtime_error("the push was not stored");
}

}  // namespace pganalytics::testing
