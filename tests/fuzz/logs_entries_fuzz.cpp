// Log text of any kind, through the prefix matcher, the assembly of entries, redaction and JSON. The first line is the line
// prefix. The promise: no crash, every event is valid JSON within its bound, and the cursor never leaves the text.
// links: logs_objects
#include "plugins/logs/classes/classify.h"
#include "plugins/logs/entries/stderr_entries.h"
#include "plugins/logs/privacy/redact.h"

#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::logs;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first_line = text.substr(0, 200).find('\n');
  if (first_line == std::string_view::npos) return 0;
  const auto prefix = LinePrefix::compile(text.substr(0, first_line));
  if (!prefix) return 0;
  text.remove_prefix(first_line + 1);

  std::vector<Event> events;
  StderrEntries entries(prefix.value(), 0, size % 2 == 0);
  std::uint64_t at = 0;
  while (at < text.size()) {
    Line line;
    line.begin = at;
    line.text = text.substr(at, text.find('\n', at) - at);
    line.end = at = at + line.text.size() + 1;
    line.starts_line = line.text.size() % 7 != 6;
    entries.add(line, events);
  }
  const std::uint64_t next = entries.finish(size % 3 == 0 ? Rest::kResting : Rest::kGrowing, events);
  require(next <= at);
  for (Event& event : events) {
    const EventClass* const event_class = classify(event);
    redact(event, static_cast<Redaction>(size % 3), event_class != nullptr);
    if (event_class != nullptr) describe(event, *event_class);
    const std::string json = event_json(event, 4096);
    require(json.size() <= 4096);
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    require(!document.HasParseError());
  }
  return 0;
}
