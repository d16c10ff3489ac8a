// Who is revoked, in memory: asked before any signature is verified and before the database is.
//
// refresh() brings it up to date; the program calls it once a second (core/server/program/revocation_watch). Polling, not LISTEN:
// a notification is lost with its connection and does not pass every pooler, a row is neither. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <mutex>
#include <pganalytics/expected.hpp>
#include <string>
#include <unordered_set>
#include <vector>

namespace pganalytics::server::api {

class Revocations {
 public:
  [[nodiscard]] bool has(const std::string& collector_id) const;
  void add(const std::string& collector_id);  // known already, before the next refresh()

  // Those that no refresh() has named before: whose open connections are to be closed. One thread at a time.
  Expected<std::vector<std::string>> refresh(store::Store& store);

 private:
  mutable std::mutex mutex_;
  std::unordered_set<std::string> revoked_;
  std::unordered_set<std::string> named_;
  std::int64_t since_unix_ns_ = 0;
};

}  // namespace pganalytics::server::api
