// Who may start and stop the private cluster: one process at a time, and whether it is a server.
#pragma once

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

// flock(2) on a file that also says whether the holder is a server; released with the object or the process.
class ClusterLock {
 public:
  static Expected<std::optional<ClusterLock>> try_take(const std::string& path, bool as_server);  // nullopt: somebody else has it
  static bool held_by_server(const std::string& path);  // only meaningful right after try_take() gave nullopt

  ClusterLock(ClusterLock&& other) noexcept;
  ClusterLock& operator=(ClusterLock&&) = delete;
  ~ClusterLock();

 private:
  explicit ClusterLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace pganalytics::server::program
