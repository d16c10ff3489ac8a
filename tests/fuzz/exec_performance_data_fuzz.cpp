// What a command of `exec` printed in the format nagios: any bytes, and what comes of it stays within its bounds.
// links: exec_objects
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <pganalytics/json.hpp>

#include "plugins/exec/performance_data.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::exec;
  const Reading reading = read_nagios({reinterpret_cast<const char*>(data), size});
  if (reading.entries.size() > kEntriesMax || reading.problems.size() > kProblemsMax + 2) std::abort();
  if (reading.text.size() > kTextBytesMax || !pganalytics::is_utf8(reading.text)) std::abort();
  for (const Entry& entry : reading.entries) {
    if (entry.name.size() > kLabelBytesMax || !pganalytics::is_utf8(entry.name)) std::abort();
    if (entry.warning.size() > kLabelBytesMax || !pganalytics::is_utf8(entry.warning)) std::abort();
    if (entry.value && entry.total) std::abort();
  }
  return 0;
}
