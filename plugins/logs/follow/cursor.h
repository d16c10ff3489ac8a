// How far each file has been delivered, and how that is kept in the plugin's state.
//
// The state is one JSON value, committed by the host together with the documents that it covers. Pure; any thread.
#pragma once

#include "plugins/logs/follow/fingerprint.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

struct Cursor {
  FileId id;
  std::string path;            // where it was seen last
  std::uint64_t offset = 0;    // first byte that is not part of a delivered entry
  std::uint64_t size = 0;      // when it was seen last
  std::int64_t mtime_ns = 0;   // likewise
  Fingerprint fingerprint;     // of the bytes up to `size` and up to `offset`
  bool resynchronise = false;  // `offset` is inside an entry of which the rest is passed over

  [[nodiscard]] bool done() const { return offset >= size; }
};

struct State {
  std::vector<Cursor> cursors;
  std::vector<std::uint64_t> watched;  // hashes of the patterns that were watched before
  std::int64_t forgotten_ns = 0;       // files last written up to this time, and not among the cursors, are read already
};

// An empty text is the state before the first run.
Expected<State> parse_state(std::string_view json);

// At most kMaxStateBytes: to get there, cursors of the oldest files that are read to their end are dropped and forgotten_ns
// remembers that they were read.
std::string state_json(State state);
inline constexpr std::size_t kMaxStateBytes = 60 * 1024;

}  // namespace pganalytics::logs
