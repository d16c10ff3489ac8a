// A spool as a collector leaves it, and all that is true of it: what the sweep damages and compares with.
#pragma once

#include "core/clock/clock.h"
#include "core/spool/spool.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::spool_sweep {

// Time stands still, so that every case of a seed is the same.
class StillClock : public clock::Clock {
 public:
  [[nodiscard]] std::int64_t unix_ns() const override { return kNow; }
  [[nodiscard]] std::int64_t monotonic_ns() const override { return kNow; }

 private:
  static constexpr std::int64_t kNow = 1'770'091'445'678'000'000;
};

spool::SpoolOptions options_with(const clock::Clock& clock);

struct Truth {
  std::map<spool::BatchKey, spool::Batch> waiting;
  std::set<std::string> epochs;
  std::uint64_t last_seq = 0;  // of the epoch that grew
  std::string epoch;
  std::uint64_t produced = 0, acknowledged = 0, lost = 0, waiting_documents = 0, ledger_documents = 0;
  std::map<std::string, std::map<std::string, std::string>> states;
  std::map<std::string, std::string> values;
};

// The files of a state folder, by name.
using Files = std::map<std::string, std::string>;

struct Specimen {
  std::string name;
  Files files;
  Truth truth;
};

// "closed": the log is in the database. "running": copied beside a live collector, whose newest commits are in the log alone.
// Both have at least 32 waiting batches (some with bodies over several pages, two of them halves), states, values, a ledger of
// losses, and room that acknowledged batches left.
Specimen make_specimen(const std::string& dir, bool running, std::uint64_t seed);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);

}  // namespace pganalytics::spool_sweep
