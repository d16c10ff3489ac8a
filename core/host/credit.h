// How much workers may send: every run has a window of bytes that may be under way, and gets back what the host has taken while
// the documents of all runs together fit the host's budget.
//
// So that nobody waits for ever, one run at a time may go on beyond the budget, up to the limit of a run; the others go on when
// it is over. The host's memory for documents is at most: budget + one run + a window for every other. Pure. One thread.
#pragma once

#include <cstddef>
#include <utility>

namespace pganalytics::host {

class RunCredit;

// What all runs of a host share; outlives them.
class CreditPool {
 public:
  explicit CreditPool(std::size_t budget_bytes) : budget_bytes_(budget_bytes) {}
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }

 private:
  friend class RunCredit;
  std::size_t budget_bytes_;
  std::size_t held_bytes_ = 0;
  const RunCredit* favoured_ = nullptr;  // may go on beyond the budget
};

// One run's.
class RunCredit {
 public:
  RunCredit(CreditPool& pool, std::size_t window_bytes) : pool_(pool), window_bytes_(window_bytes), left_bytes_(window_bytes) {}
  RunCredit(const RunCredit&) = delete;
  RunCredit& operator=(const RunCredit&) = delete;
  ~RunCredit();

  [[nodiscard]] std::size_t window_bytes() const { return window_bytes_; }

  // The worker sent so much. False: more than it might.
  [[nodiscard]] bool take(std::size_t bytes);
  // The host keeps so much of it until the run is over.
  void hold(std::size_t bytes);
  // The host keeps nothing of this run any more.
  void let_go();

  // What the worker is to be told it may send in addition; 0: nothing, now. It has been told.
  std::size_t give_back();
  [[nodiscard]] bool may_give_back() const;

 private:
  CreditPool& pool_;
  std::size_t window_bytes_;
  std::size_t left_bytes_;      // the worker may still send
  std::size_t owed_bytes_ = 0;  // taken, and not given back
  std::size_t held_bytes_ = 0;
};

}  // namespace pganalytics::host
