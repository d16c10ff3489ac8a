// Waiting for what another thread or process does, without guessing how long it takes.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace pganalytics::testing {

// True as soon as `holds` is, false if it is not within `limit`.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace pganalytics::testing
