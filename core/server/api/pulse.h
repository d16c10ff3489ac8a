// Whether the database answers, for whoever asks how the server is: anybody may, so it must cost little. The database is asked
// once at a time, and the answer holds for a second. [any thread]
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <pganalytics/expected.hpp>

namespace pganalytics::server::api {

class Pulse {
 public:
  // `ask`: the question itself; may block.
  explicit Pulse(std::function<Outcome()> ask) : ask_(std::move(ask)) {}

  // What the database said within the last second. While it owes somebody else an answer, that one is waited for, until a second
  // after it was asked; then PGA_E_DEADLINE. So one caller at a time may be held up for longer, not every worker there is.
  Outcome feel();

 private:
  const std::function<Outcome()> ask_;
  std::mutex mutex_;
  std::condition_variable answered_;
  bool is_asking_ = false;
  std::int64_t asked_at_ns_ = 0;
  std::int64_t good_until_ns_ = 0;  // for how long last_ holds
  Outcome last_;
};

}  // namespace pganalytics::server::api
