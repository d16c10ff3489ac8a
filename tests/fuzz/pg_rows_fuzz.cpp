// Rows of a PostgreSQL server, as COPY sends them: the first byte chooses the family, each line is a row. What comes of one is a
// JSON object with the family's members, and what counters have grown by is never negative.
// links: pg_stats_objects pganalytics::schema
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <pganalytics/json.hpp>
#include <string>
#include <string_view>

#include "core/schema/json_text.h"
#include "plugins/pg_stats/families.h"
#include "plugins/pg_stats/history.h"
#include "plugins/pg_stats/row.h"

namespace {

using namespace pganalytics;

void check_members(const JsonWriter& json, std::size_t most) {
  const auto object = schema::parse_json(std::string(json.text()));
  if (!object || !object->IsObject() || object->MemberCount() > most) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pg_stats;
  if (size == 0) return 0;
  const Family& family = families()[data[0] % families().size()];
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  RowReader row(family);
  History history(RowReader::number_counters(family));
  history.begin();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!row.read(line)) continue;
    JsonWriter json;
    json.begin_object();
    row.write(json, false);
    json.end_object();
    check_members(json, family.columns.size());
    const History::Seen seen = history.see(row.key(), row.content(), row.epoch(), row.counters());
    if (seen.growth == nullptr) continue;
    if (!seen.known || !seen.changed) std::abort();
    const auto numbers = RowReader::number_counters(family);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const CounterValue& value = (*seen.growth)[i];
      if (numbers[i] ? value.number < 0 : value.integer < 0) std::abort();
    }
    JsonWriter growth;
    growth.begin_object();
    row.write_growth(growth, *seen.growth);
    growth.end_object();
    check_members(growth, numbers.size());
  }
  return 0;
}
