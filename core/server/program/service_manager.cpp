#include "core/server/program/service_manager.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kMostUs = 365LL * 86'400 * 1'000'000;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

std::string microseconds(const char* name, std::int64_t seconds) {
  return std::string(name) + "=" + std::to_string(seconds * 1'000'000) + "\n";
}

}  // namespace

ServiceManager::ServiceManager() : address_(take_variable("NOTIFY_SOCKET")) {
  const std::string watchdog_us = take_variable("WATCHDOG_USEC"), watchdog_pid = take_variable("WATCHDOG_PID");
  if (address_.empty()) return;
  if (address_.front() != '/' && address_.front() != '@') {
    log::warn("NOTIFY_SOCKET is neither a path nor an abstract address: the service manager is told nothing");
    return;
  }
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // unix(7): sending waits while the receiver's queue is full. A service manager that hangs must not hold the main loop.
  const timeval patience{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const bool is_for_us = watchdog_pid.empty() || watchdog_pid == std::to_string(::getpid());
  if (is_for_us) watchdog_ns_ = std::clamp<std::int64_t>(std::strtoll(watchdog_us.c_str(), nullptr, 10), 0, kMostUs) * 1'000;
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::send(const std::string& lines) const {
  sockaddr_un to{};
  if (socket_ < 0 || address_.size() >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (address_.front() == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  if (::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), size) < 0)
    log::debug(std::string("tell the service manager: ") + std::strerror(errno));
}

void ServiceManager::starting(const std::string& status, std::int64_t at_most_s) {
  send(microseconds("EXTEND_TIMEOUT_USEC", at_most_s) + "STATUS=" + status + "\n");
}

void ServiceManager::ready(const std::string& status) { send("READY=1\nSTATUS=" + status + "\n"); }

void ServiceManager::reloading() {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(clock::now_monotonic_ns() / 1'000) + "\n");
}

void ServiceManager::stopping(std::int64_t at_most_s) {
  send("STOPPING=1\nSTATUS=Answering what is in flight\n" + microseconds("EXTEND_TIMEOUT_USEC", at_most_s));
}

void ServiceManager::turned() {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (watchdog_ns_ == 0 || now_ns < next_beat_ns_) return;
  next_beat_ns_ = now_ns + watchdog_ns_ / 3;
  send("WATCHDOG=1\n");
}

}  // namespace pganalytics::server::program
