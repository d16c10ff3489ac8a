// Anything as a cursor: refused, or exactly what to_text() writes for the same question.
// links: pganalytics::server_store
#include "core/server/store/cursor.h"

#include <cstdint>
#include <cstdlib>

using namespace pganalytics::server::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  MetricsQuery query;
  query.collector_id = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
  const auto cursor = parse_cursor(text, question_of(query));
  if (cursor && to_text(*cursor, question_of(query)) != text) std::abort();
  query.type = "disk";
  if (cursor && parse_cursor(text, question_of(query))) std::abort();
  return 0;
}
