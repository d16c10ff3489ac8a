// Bytes of any kind as a statement whose literals are masked. The promise: no crash, masking twice is masking once, nothing is
// there that was not, and what stands in a string by either reading of its backslashes is gone.
// links: logs_objects
#include "plugins/logs/privacy/statement.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace pganalytics::logs;

void require(bool promise) {
  if (!promise) std::abort();
}

// A plain string with any content, by the reading that doubles quotes, and by the one that escapes them.
void require_hidden(std::string_view content) {
  constexpr std::string_view kSecret = "Z7SECRETZ7";
  if (content.find(kSecret) != std::string_view::npos) return;
  std::string doubled;
  std::string escaped;
  for (const char c : content) {
    doubled += c;
    if (c == '\'') doubled += c;
    if (c == '\'' || c == '\\') escaped += '\\';
    escaped += c;
  }
  for (const std::string& body : {doubled, escaped}) {
    const std::string sql = "select a, '" + body + std::string(kSecret) + "' from t";
    require(without_literals(sql).find(kSecret) == std::string::npos);
    require(without_literals("select E'" + escaped + std::string(kSecret) + "'").find(kSecret) == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const std::string masked = without_literals(sql);
  require(masked.size() <= sql.size());
  require(without_literals(masked) == masked);
  Spans spans;
  const std::size_t end = find_literals(sql, size / 3, StatementEnd::kQuotedLine, spans);
  require(end <= size);
  for (const Span& span : spans) require(size / 3 <= span.begin && span.begin < span.end && span.end <= size);
  require_hidden(sql);
  return 0;
}
