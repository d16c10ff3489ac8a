// A spool in a folder of its own, with a clock whose hands the test turns.
#pragma once

#include "core/spool/spool.h"
#include "core/spool/spool_view.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <atomic>
#include <string>

namespace pganalytics::spool_test {

class HandClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return now; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return now; }
  std::atomic<std::int64_t> now = 1'770'091'445'678'000'000;
};

using Folder = testing::TemporaryFolder;

inline spool::SpoolOptions options_with(const clock::Clock& clock) {
  spool::SpoolOptions options;
  options.keep_free_bytes = 0;
  options.collector_id = "11111111-2222-4333-8444-555555555555";
  options.hostname = "db1";
  options.version = "0.1.0";
  options.clock = &clock;
  options.pace.seal_wait_ms = 30'000;  // a busy machine's disk is not what most tests are about
  return options;
}

template <class T>
T must(Expected<T> result) {
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return std::move(result).value();
}
inline void must(const Outcome& result) {
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
}

inline std::string document(const std::string& payload, const std::string& time = "2026-02-03T04:05:06.789Z") {
  return R"({"type":"pg_stats","timestamp":")" + time + R"(","payload":")" + payload + "\"}";
}

inline spool::SealedRun run_of(std::vector<std::string> documents) {
  spool::SealedRun run;
  run.plugin = "pg_stats";
  run.documents = std::move(documents);
  return run;
}

// Of the epoch that grows.
inline spool::BatchKey key_of(spool::Spool& spool, std::uint64_t seq) { return {must(spool.status()).epoch, seq, ""}; }

inline void check_invariant(const spool::SpoolStatus& status) {
  CHECK(status.produced_documents == status.acknowledged_documents + status.lost_documents + status.waiting_documents);
}

}  // namespace pganalytics::spool_test
