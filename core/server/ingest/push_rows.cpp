#include "core/server/ingest/push_rows.h"

#include "core/server/ingest/document_rows.h"

#include <map>

namespace pganalytics::server::ingest {

Expected<PushRows> read_rows(store::Store& store, KnownSchemas& schemas, const std::string& collector_id, Envelope& envelope) {
  PushRows push;
  std::map<std::string, std::shared_ptr<const KnownSchema>> by_type;
  DocumentRows reader(store, collector_id);
  for (Element& element : envelope.elements) {
    if (!element.fault_code.empty()) continue;
    auto place = by_type.find(element.type);
    if (place == by_type.end()) {
      const auto told = envelope.schemas.find(element.type);
      const std::string sha256 = told == envelope.schemas.end() ? "" : told->second;
      PGA_TRY(auto known, schemas.find(element.type, sha256));
      if (known == nullptr && !sha256.empty()) push.unread.push_back({element.type, sha256});
      place = by_type.emplace(element.type, std::move(known)).first;
    }
    if (place->second == nullptr) continue;
    const Outcome read = reader.read(*place->second, element.text, element.timestamp_unix_ns);
    if (read) continue;
    const Error& error = read.error();
    if (error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE) return error;
    element.fault_code = error.code;
    element.fault = error.message;
  }
  push.rows = reader.take();
  return push;
}

}  // namespace pganalytics::server::ingest
