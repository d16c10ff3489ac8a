// Bytes of any kind as a syslog file; the first line is the line prefix. The promise: no crash, the cursor never leaves the text,
// every event is valid JSON within its bound.
// links: logs_objects
#include "plugins/logs/entries/syslog_entries.h"
#include "tests/fuzz/logs_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::logs;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first_line = text.substr(0, 200).find('\n');
  if (first_line == std::string_view::npos) return 0;
  const auto prefix = LinePrefix::compile(text.substr(0, first_line));
  if (!prefix) return 0;
  text.remove_prefix(first_line + 1);
  constexpr std::int64_t kNewest = 1770100000;
  std::vector<Event> events;
  SyslogEntries source(prefix.value(), "postgres", kNewest, 0, size % 5 == 0);
  feed(source, text, 0, text.size(), size % 3 == 0 ? 60 : 1 << 20, true, events);
  const std::uint64_t next = source.finish(size % 2 == 0 ? Rest::kResting : Rest::kGrowing, events);
  require(next <= text.size());
  require_presentable(events, static_cast<Redaction>(size % 3));
  return 0;
}
