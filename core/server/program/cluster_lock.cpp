#include "core/server/program/cluster_lock.h"

#include "core/files/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pganalytics::server::program {
namespace {

constexpr char kServer[] = "server\n";
constexpr char kCommand[] = "command\n";

}  // namespace

Expected<std::optional<ClusterLock>> ClusterLock::try_take(const std::string& path, bool as_server) {
  const auto failed = [&](const char* doing) {
    return Error{PGA_E_FAIL, "cluster.lock", std::string(doing) + " " + path + ": " + std::strerror(errno), "", 0};
  };
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed("opening");
  ClusterLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<ClusterLock>();
    return failed("locking");
  }
  const std::string kind = as_server ? kServer : kCommand;
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, kind.data(), kind.size(), 0) != static_cast<ssize_t>(kind.size()))
    return failed("writing");
  return std::optional<ClusterLock>(std::move(lock));
}

bool ClusterLock::held_by_server(const std::string& path) {
  const auto kind = files::read(path, 64);
  return kind && *kind == kServer;
}

ClusterLock::ClusterLock(ClusterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ClusterLock::~ClusterLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace pganalytics::server::program
