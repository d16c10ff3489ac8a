// The body of a push on any bytes: documents are cut out whole, lie inside the body, and good ones are JSON objects that the host
// would have let pass as well. A zero byte is in no JSON.
// links: pganalytics::server_ingest pganalytics::schema
#include "core/server/ingest/envelope.h"

#include "core/schema/json_text.h"

#include <rapidjson/document.h>

#include <cstdlib>
#include <string_view>

using namespace pganalytics::server::ingest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto envelope = scan_envelope(body);
  if (!envelope) return 0;
  if (body.find('\0') != std::string_view::npos) std::abort();
  for (const Element& element : envelope.value().elements) {
    const bool is_inside = element.text.empty() || (element.text.data() >= body.data() &&
                                                    element.text.data() + element.text.size() <= body.data() + size);
    if (!is_inside) std::abort();
    if (!element.fault_code.empty()) continue;
    rapidjson::Document document;
    document.Parse<rapidjson::kParseNumbersAsStringsFlag>(element.text.data(), element.text.size());
    if (document.HasParseError() || !document.IsObject() || !document.HasMember("type")) std::abort();
    // But for numbers that no double holds, which are kept as text.
    const auto of_host = pganalytics::schema::parse_json(element.text);
    if (!of_host && of_host.error().message.find("a number is too big") == std::string::npos) std::abort();
  }
  return 0;
}
