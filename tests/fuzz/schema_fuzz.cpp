// A plugin's schema from any bytes: what is accepted can be used on any value, and its defaults can be filled in.
// links: pganalytics::schema
#include "core/schema/json_text.h"
#include "core/schema/schema.h"

#include <string_view>

using namespace pganalytics;
using schema::Schema;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto purpose : {Schema::Purpose::kConfig, Schema::Purpose::kOutput}) {
    const auto parsed = Schema::parse(text, purpose);
    if (!parsed) continue;
    for (const char* const value : {"{}", "[]", "1", R"({"a":{"a":[{}]},"b":"60s"})"}) {
      auto document = schema::parse_json(value);
      parsed.value().fill_defaults(*document);
      if (!parsed.value().validate(*document) && parsed.value().top_level_keys().size() > size) __builtin_trap();
    }
  }
  return 0;
}
