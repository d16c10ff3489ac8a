// What a command of `exec` printed in the format json: any bytes, and what comes of it stays within its bounds.
// links: exec_objects
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <pganalytics/json.hpp>

#include "plugins/exec/json_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::exec;
  const Reading reading = read_json_lines({reinterpret_cast<const char*>(data), size});
  if (reading.entries.size() > kEntriesMax || reading.problems.size() > kProblemsMax + 2) std::abort();
  for (const Entry& entry : reading.entries) {
    if (entry.name.size() > kLabelBytesMax || entry.labels.size() > kLabelBytesMax) std::abort();
    if (!pganalytics::is_utf8(entry.name) || !pganalytics::is_utf8(entry.labels)) std::abort();
  }
  for (const Problem& problem : reading.problems) {
    if (!pganalytics::is_utf8(problem.message)) std::abort();
  }
  return 0;
}
