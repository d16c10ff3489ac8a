#include "core/web/call_health.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

namespace pganalytics::web {
namespace {

std::string seconds(std::int64_t ms) { return std::to_string((ms + 999) / 1000) + " s"; }

}  // namespace

void CallHealth::well(const std::string& url) {
  if (state_.empty()) return;
  state_.clear();
  log::info(call_ + ": " + url + " is well again after " +
            seconds((clock::now_monotonic_ns() - since_monotonic_ns_) / 1'000'000));
}

void CallHealth::failing(const std::string& url, const std::string& state, const std::string& reason, std::int64_t next_try_ms) {
  const std::string line = call_ + ": " + url + " is " + state + ": " + reason + "; next try in " + seconds(next_try_ms);
  if (state == state_) return log::debug(line);
  if (state_.empty()) since_monotonic_ns_ = clock::now_monotonic_ns();
  state_ = state;
  log::warn(line);
}

}  // namespace pganalytics::web
