// How the server is, besides its database: what its threads note and /api/v1/health tells.
//
// Numbers that one thread writes and any reads; no lock. Not here: whether the database answers (pulse.h), who may be told what
// (health.cpp).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::api {

// Why the server should get no work now.
struct Ailment {
  std::string_view code;  // "draining", "ingest_lag", "disk_nearly_full"
  std::string message;
};

struct Condition {
  std::atomic<bool> draining{false};
  std::atomic<std::int64_t> unread{0}, oldest_unread_s{0}, rollup_lag_s{0};  // store::Backlog, as it was last seen
  std::atomic<std::int64_t> disk_free_bytes{-1};                             // under data_dir; -1: not known
  // [health]: beyond these it is ill.
  std::atomic<std::int64_t> ingest_lag_max_s{3'600};
  std::atomic<std::int64_t> disk_free_min_bytes{64LL << 20};

  [[nodiscard]] std::vector<Ailment> ailments() const;
};

}  // namespace pganalytics::server::api
