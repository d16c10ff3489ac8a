// What systemd is told: sd_notify(3)'s protocol, datagrams of VARIABLE=value lines to the socket that $NOTIFY_SOCKET names;
// without it nothing happens. By hand, because it is one sendto() and libsystemd a dependency.
//
// A service manager that does not read holds a call up for a second at most. [main thread]
#pragma once

#include <cstdint>
#include <string>

namespace pganalytics::server::program {

class ServiceManager {
 public:
  // Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and takes them away, so that no child reports in our name. Before the
  // first thread.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void starting(const std::string& status, std::int64_t at_most_s);  // STATUS=, EXTEND_TIMEOUT_USEC=
  void ready(const std::string& status);                             // READY=1: at first, and after reloading()
  void reloading();                                                  // RELOADING=1 with MONOTONIC_USEC=, for Type=notify-reload
  void stopping(std::int64_t at_most_s);                             // STOPPING=1, EXTEND_TIMEOUT_USEC=
  // The main loop has turned: WATCHDOG=1, if one is wanted and a third of its time is over.
  void turned();

 private:
  void send(const std::string& lines) const;

  int socket_ = -1;
  std::string address_;  // "/path" or "@abstract"
  std::int64_t watchdog_ns_ = 0, next_beat_ns_ = 0;
};

}  // namespace pganalytics::server::program
