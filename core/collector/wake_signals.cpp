#include "core/collector/wake_signals.h"

#include "core/collector/exit_code.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace pganalytics::collector {
namespace {

// What a handler may touch.
std::atomic<bool> g_stop{false}, g_reload{false};
std::atomic<int> g_fd{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void raise_fd(int fd) {
  const std::uint64_t one = 1;
  // Fails only when the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
}

extern "C" void on_signal(int signal) {
  const int saved = errno;
  if (signal == SIGHUP) {
    g_reload = true;
  } else if (!g_stop.exchange(true)) {  // a second one gives no more time
    ::alarm(kStopSecondsMax);
  }
  raise_fd(g_fd);
  errno = saved;
}

extern "C" void on_time_over(int) {
  constexpr char kLine[] = "stopping took too long: what hangs is left behind\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
  ::_exit(kOk);
}

}  // namespace

Expected<WakeSignals> WakeSignals::install() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return Error{PGA_E_FAIL, "signals", std::string("unable to make an eventfd: ") + std::strerror(errno), "", 0};
  WakeSignals signals(fd);
  g_fd = fd;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGALRM, on_time_over);  // stays when the object goes: ends come after it that may hang
  ::signal(SIGPIPE, SIG_IGN);       // a reader that went away is an error of write(), not our end
  return signals;
}

WakeSignals::WakeSignals(WakeSignals&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }

WakeSignals::~WakeSignals() {
  if (fd_ < 0) return;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_DFL);
  g_fd = -1;
  ::close(fd_);
}

void WakeSignals::clear() const {
  std::uint64_t count = 0;
  // Nothing to read: nothing to clear.
  [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
}

void WakeSignals::wake() const { raise_fd(fd_); }
bool WakeSignals::stop_wanted() { return g_stop; }
bool WakeSignals::take_reload() { return g_reload.exchange(false); }

}  // namespace pganalytics::collector
