// When and how the fake host cancels a run: at once, at a real deadline, or when the virtual clock says so. cancel() on any
// thread.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "instance.h"

namespace pganalytics::testing {

int Instance::Impl::make_cancel_fd() { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void Instance::Impl::cancel() {
  {
    const std::lock_guard<std::mutex> lock(cancel_mutex_);
    std::int64_t not_yet = 0;
    cancelled_ns_.compare_exchange_strong(not_yet, clock_ns(CLOCK_MONOTONIC));
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable already.
    [[maybe_unused]] const ssize_t written = write(cancel_fd_, &one, sizeof one);
  }
  call_cancel();
}

// Never from within a call of the plugin's, on its thread: there the real host has no occasion to, and a lock the plugin holds
// while it calls emit() would be taken twice.
void Instance::Impl::call_cancel() {
  if (!created_ || !PGA_HAS(pga_plugin, plugin_, cancel) || plugin_->cancel == nullptr) return;
  if (collecting() && caller_.load() == std::this_thread::get_id()) {
    cancelling_.emplace_back([this] { plugin_->cancel(self_); });
  } else {
    plugin_->cancel(self_);
  }
}

void Instance::Impl::cancel_if_due(std::int64_t virtual_unix_ns) {
  {
    const std::lock_guard<std::mutex> lock(cancel_mutex_);
    if (!virtual_deadline_unix_ns_ || virtual_unix_ns < *virtual_deadline_unix_ns_) return;
    virtual_deadline_unix_ns_.reset();
  }
  cancel();
}

void Instance::Impl::begin_cancellable(const CollectOptions& options) {
  std::optional<std::int64_t> virtual_now;
  {
    const std::lock_guard<std::mutex> lock(host_.clock_mutex_);
    virtual_now = host_.virtual_unix_ns_;
  }
  if (options.timeout.count() <= 0) return cancel();
  const std::lock_guard<std::mutex> lock(cancel_mutex_);
  if (virtual_now) virtual_deadline_unix_ns_ = *virtual_now + std::chrono::nanoseconds(options.timeout).count();
}

// When another thread is to cancel, by the real clock.
std::optional<std::chrono::nanoseconds> Instance::Impl::real_cancel(const CollectOptions& options) const {
  const std::lock_guard<std::mutex> lock(host_.clock_mutex_);
  std::optional<std::chrono::nanoseconds> after = options.cancel_after;
  if (host_.virtual_unix_ns_ || options.timeout.count() <= 0) return after;
  return after ? std::min<std::chrono::nanoseconds>(*after, options.timeout) : options.timeout;
}

// What the cancel left behind is taken away again, and looked at: the plugin had no business with it.
void Instance::Impl::end_cancellable(CollectResult& result) {
  const std::lock_guard<std::mutex> lock(cancel_mutex_);
  virtual_deadline_unix_ns_.reset();
  const std::int64_t cancelled_ns = cancelled_ns_.exchange(0);
  result.cancelled = cancelled_ns != 0;
  if (result.cancelled)
    result.after_cancel =
        std::max(std::chrono::nanoseconds(clock_ns(CLOCK_MONOTONIC) - cancelled_ns), std::chrono::nanoseconds(0));
  std::uint64_t count = 0;
  errno = 0;
  const bool readable = read(cancel_fd_, &count, sizeof count) == sizeof count;
  if (!readable && errno == EBADF) {
    host_.note_violation("cancel_fd was closed by the plugin");
    cancel_fd_ = make_cancel_fd();
  } else if (!readable && result.cancelled) {
    host_.note_violation("cancel_fd was read by the plugin");
  }
}

}  // namespace pganalytics::testing
