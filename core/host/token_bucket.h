// So much a second, and a burst before that: how much is free now. Pure, the time is passed in. One owner at a time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pganalytics::host {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  // Is there any? Time that goes backwards fills nothing.
  bool open(std::int64_t now_ns) {
    if (refilled_ns_ != 0)
      tokens_ =
          std::min(burst_, tokens_ + static_cast<double>(std::max<std::int64_t>(now_ns - refilled_ns_, 0)) / 1e9 * per_second_);
    refilled_ns_ = now_ns;
    return tokens_ >= 1;
  }
  // More than there is may be taken: it is open again the later.
  void take(double tokens) { tokens_ -= tokens; }
  // When it is, or was, open again.
  [[nodiscard]] std::int64_t opens_ns() const {
    if (tokens_ >= 1) return refilled_ns_;
    return refilled_ns_ + static_cast<std::int64_t>((1 - tokens_) / per_second_ * 1e9) + 1;
  }

 private:
  double per_second_, burst_, tokens_;
  std::int64_t refilled_ns_ = 0;
};

}  // namespace pganalytics::host
