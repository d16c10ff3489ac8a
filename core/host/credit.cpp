#include "core/host/credit.h"

namespace pganalytics::host {

RunCredit::~RunCredit() {
  let_go();
  if (pool_.favoured_ == this) pool_.favoured_ = nullptr;
}

bool RunCredit::take(std::size_t bytes) {
  if (bytes > left_bytes_) return false;
  left_bytes_ -= bytes;
  owed_bytes_ += bytes;
  return true;
}

void RunCredit::hold(std::size_t bytes) {
  held_bytes_ += bytes;
  pool_.held_bytes_ += bytes;
}

void RunCredit::let_go() { pool_.held_bytes_ -= std::exchange(held_bytes_, 0); }

bool RunCredit::may_give_back() const {
  // In portions: not a frame for each document.
  if (owed_bytes_ < window_bytes_ / 4 || owed_bytes_ == 0) return false;
  return pool_.held_bytes_ < pool_.budget_bytes_ || pool_.favoured_ == nullptr || pool_.favoured_ == this;
}

std::size_t RunCredit::give_back() {
  if (!may_give_back()) return 0;
  if (pool_.held_bytes_ >= pool_.budget_bytes_) pool_.favoured_ = this;
  left_bytes_ += owed_bytes_;
  return std::exchange(owed_bytes_, 0);
}

}  // namespace pganalytics::host
