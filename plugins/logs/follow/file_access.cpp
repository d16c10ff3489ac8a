#include "plugins/logs/follow/file_access.h"

namespace pganalytics::logs {

Expected<std::string> read_bytes(const ReadableFile& file, std::uint64_t offset, std::uint64_t length) {
  std::string bytes(length, '\0');
  std::size_t got = 0;
  while (got < length) {
    PGA_TRY(const std::size_t more, file.read(offset + got, bytes.data() + got, length - got));
    if (more == 0) break;
    got += more;
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace pganalytics::logs
