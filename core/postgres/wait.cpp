// poll(2) with a deadline. Any thread.
#include "core/postgres/wait.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace pganalytics::postgres {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

std::int64_t monotonic_now() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kSecond + now.tv_nsec;
}

Deadline deadline_in(std::chrono::milliseconds time, int cancel_fd) {
  return {monotonic_now() + std::chrono::nanoseconds(time).count(), cancel_fd};
}

Woken wait_for(int socket, short events, const Deadline& deadline) {
  for (;;) {
    const std::int64_t left = deadline.monotonic_ns - monotonic_now();
    if (left <= 0) return {Wake::kDeadline, false};
    // poll() skips negative descriptors, so an absent cancel_fd (-1) needs no case of its own.
    pollfd watched[] = {{socket, events, 0}, {deadline.cancel_fd, POLLIN, 0}};
    const std::timespec timeout{static_cast<std::time_t>(left / kSecond), static_cast<long>(left % kSecond)};
    const int ready = ppoll(watched, 2, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return {Wake::kFailed, false};
    if (ready <= 0) continue;  // interrupted, or time is up: the top of the loop tells which
    if (watched[1].revents != 0) return {Wake::kCancelled, false};
    return {Wake::kReady, (watched[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0};
  }
}

}  // namespace pganalytics::postgres
