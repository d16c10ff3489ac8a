// One log line when calls to a server begin to fail or fail in another way, one when they work again; not one per attempt.
// [one thread]
#pragma once

#include <cstdint>
#include <string>

namespace pganalytics::web {

class CallHealth {
 public:
  explicit CallHealth(std::string call) : call_(std::move(call)) {}

  void well(const std::string& url);
  // state: a few words that name the kind of trouble; a change of it is news, a change of the reason is not.
  void failing(const std::string& url, const std::string& state, const std::string& reason, std::int64_t next_try_ms);

 private:
  std::string call_, state_;  // state_ "": all is well
  std::int64_t since_monotonic_ns_ = 0;
};

}  // namespace pganalytics::web
