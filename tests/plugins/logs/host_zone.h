// The host's time zone while it lives.
#pragma once

#include <cstdlib>
#include <ctime>
#include <string>

namespace pganalytics::logs {

class HostZone {
 public:
  explicit HostZone(const char* zone) {
    if (const char* now = std::getenv("TZ")) before_ = now;
    setenv("TZ", zone, 1);
    tzset();
  }
  HostZone(const HostZone&) = delete;
  HostZone& operator=(const HostZone&) = delete;
  ~HostZone() {
    before_.empty() ? unsetenv("TZ") : setenv("TZ", before_.c_str(), 1);
    tzset();
  }

 private:
  std::string before_;
};

}  // namespace pganalytics::logs
