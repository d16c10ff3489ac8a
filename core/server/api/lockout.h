// Who failed too often is locked out for a while, whatever it brings next. [any thread]
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace pganalytics::server::api {

class Lockout {
 public:
  // `failures` within `lock_ms` lock for `lock_ms`.
  Lockout(unsigned failures, std::int64_t lock_ms) : most_(failures), lock_ns_(lock_ms * 1'000'000) {}

  // For failures from now on.
  void use(unsigned failures, std::int64_t lock_ms);

  // How many whole seconds more (at least 1); 0: not locked out.
  std::int64_t locked_s(const std::string& who, std::int64_t now_monotonic_ns);
  // One more failure. True: with this one the door closes.
  bool fail(const std::string& who, std::int64_t now_monotonic_ns);

 private:
  struct Record {
    unsigned failures = 0;
    std::int64_t first_ns = 0;
    std::int64_t locked_until_ns = 0;
  };
  void forget_old(std::int64_t now_ns);

  unsigned most_;
  std::int64_t lock_ns_;
  std::mutex mutex_;
  std::unordered_map<std::string, Record> records_;
};

}  // namespace pganalytics::server::api
