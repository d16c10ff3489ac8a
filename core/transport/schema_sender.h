// Sends the server the output schemas that it asked for, one at a time.
//
// No push waits for it, and nothing is kept of a failure: the server asks again with its next acknowledgement. One that it
// refuses is not sent again. [delivery thread]
#pragma once

#include "core/transport/backend.h"
#include "core/transport/schema_shelf.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::transport {

class SchemaSender {
 public:
  // Both outlive it. nullptr, either: nothing is sent.
  SchemaSender(Backend* backend, const SchemaShelf* shelf) : backend_(backend), shelf_(shelf) {}

  void wanted(const std::vector<std::string>& sha256s);
  // One call at most, if one is due.
  void send_next();
  // On the monotonic clock; INT64_MAX: nothing is wanted.
  [[nodiscard]] std::int64_t due_ms() const;

 private:
  using Key = std::pair<std::string, std::string>;  // sha256, type

  Backend* const backend_;
  const SchemaShelf* const shelf_;
  std::set<Key> waiting_, refused_;
  std::int64_t not_before_ms_ = 0;
};

}  // namespace pganalytics::transport
