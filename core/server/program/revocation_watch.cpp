#include "core/server/program/revocation_watch.h"

#include "core/log/log.h"

#include <chrono>

namespace pganalytics::server::program {

RevocationWatch::RevocationWatch(api::Api& api, http::HttpsServer& server)
    : api_(api), server_(server), thread_([this] { look_until_stopped(); }) {}

void RevocationWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_early_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RevocationWatch::look() {
  const auto revoked = api_.newly_revoked();
  // Said once per outage: the next look is a second away.
  if (!revoked && !failing_) log::write(log::Level::kWarn, "ask who is revoked", revoked.error());
  failing_ = !revoked;
  if (!revoked) return;
  for (const std::string& id : revoked.value()) server_.close_connections_of(id);
}

void RevocationWatch::look_until_stopped() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look();
    lock.lock();
    stopped_early_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
  }
}

}  // namespace pganalytics::server::program
