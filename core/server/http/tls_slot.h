// The TLS context that the next connection gets; those that are open keep the one they began with. [any thread]
#pragma once

#include "core/server/http/tls.h"

#include <memory>
#include <mutex>
#include <utility>

namespace pganalytics::server::http {

class TlsSlot {
 public:
  explicit TlsSlot(TlsContext context) : context_(std::move(context)) {}
  // Returns the one before.
  std::shared_ptr<SSL_CTX> put(TlsContext next) {
    std::shared_ptr<SSL_CTX> shared(std::move(next));
    const std::lock_guard lock(mutex_);
    context_.swap(shared);
    return shared;
  }
  [[nodiscard]] std::shared_ptr<SSL_CTX> get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace pganalytics::server::http
