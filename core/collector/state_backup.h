// Copies of the state file, made now and then while the collector runs: <state_dir>/backup/spool-<time>.db, the newest two.
//
// A copy is made on a thread of its own, because it reads the whole spool; the collector does not wait for it. None is made that
// would take the disk below the spool's free-space floor: the disk is the database's. How to put one back: docs/DEPLOYMENT.md.
//
// Here: when, where, how many. Not here: what a copy is (core/spool/backup.h). [main thread]
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <thread>

namespace pganalytics::collector {

class StateBackup {
 public:
  static constexpr std::size_t kKept = 2;
  static constexpr std::chrono::seconds kStopPatience{2};

  explicit StateBackup(std::string state_dir);
  ~StateBackup();  // one that is under way is given up; a disk that hangs is not waited for longer than kStopPatience
  StateBackup(const StateBackup&) = delete;
  StateBackup& operator=(const StateBackup&) = delete;

  // Begin one if it is time, tell of one that has ended. interval_ms 0: none are made.
  void turn(std::int64_t interval_ms, std::optional<std::int64_t> keep_free_bytes);
  // How long turn() may be left alone.
  [[nodiscard]] std::int64_t wait_ms(std::int64_t interval_ms) const;

  // The newest copy's path; nullopt: there is none.
  static std::optional<std::string> newest(const std::string& state_dir);

 private:
  void end();
  [[nodiscard]] std::int64_t due_ms(std::int64_t interval_ms) const;
  [[nodiscard]] Outcome check_space(std::optional<std::int64_t> keep_free_bytes) const;
  void forget_old_ones() const;

  const std::string state_dir_, folder_;
  const std::int64_t started_ms_;  // monotonic
  std::int64_t last_ms_ = 0;       // monotonic: of the newest copy; may lie before the start
  bool has_one_ = false;
  std::int64_t not_before_ms_ = 0;  // after a failure
  // What thread_ works on. It may outlive this object.
  struct Copy {
    std::string state_dir, path;
    std::atomic<bool> stop{false};
    std::promise<Outcome> ended;
  };
  std::thread thread_;
  std::shared_ptr<Copy> copy_;
  std::future<Outcome> ended_;
};

}  // namespace pganalytics::collector
