// A delivery between an outbox in memory and a scripted server, with milliseconds instead of seconds and minutes.
#pragma once

#include "core/transport/delivery.h"
#include "tests/core/transport/memory_outbox.h"
#include "tests/core/transport/scripted_backend.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::testing {

class RecordingSink : public transport::ConfigSink {
 public:
  void config_pulled(std::string body, std::string etag) override {
    const std::lock_guard lock(mutex_);
    pulled_.emplace_back(std::move(body), std::move(etag));
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> pulled() const {
    const std::lock_guard lock(mutex_);
    return pulled_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> pulled_;
};

inline transport::DeliveryOptions quick() {
  transport::DeliveryOptions options;
  options.push.retry_first_ms = 2;
  options.push.retry_max_ms = 10;
  options.push.refused_retry_ms = 20;
  options.push.unauthorized_first_ms = 5;
  options.push.unauthorized_max_ms = 10;
  options.push.forbidden_first_ms = 5;
  options.push.forbidden_max_ms = 10;
  options.push.in_progress_min_ms = 10;
  options.push.in_progress_max_ms = 20;
  return options;
}

inline std::string key_of(const SeenRequest& request) { return request.headers.at("idempotency-key"); }

// Of a batch, whole or part.
inline std::uint64_t seq_of(const SeenRequest& request) {
  const std::string key = key_of(request);
  return std::stoull(key.substr(key.find('.') + 1));
}

struct DeliveryFixture {
  ScriptedBackend server;
  MemoryOutbox outbox;
  RecordingSink sink;
  std::unique_ptr<transport::Delivery> delivery;

  void start(const transport::DeliveryOptions& options = quick()) {
    server.start();
    delivery = std::make_unique<transport::Delivery>(server.open(), outbox, sink, options);
    delivery->start();
  }
  bool drained() {
    return eventually([this] { return outbox.waiting() == 0; });
  }
  [[nodiscard]] std::size_t pushes() const { return server.requests("/metrics/push").size(); }
};

}  // namespace pganalytics::testing
