// The delivery thread: drains the outbox, pulls configuration at its interval, waits by the one retry policy.
//
// Owns a thread from start() to stop(). ConfigSink is called on that thread; an implementation hands over to the main thread.
#pragma once

#include "core/spool/outbox.h"
#include "core/transport/backend.h"

#include <cstdint>
#include <memory>
#include <string>

namespace pganalytics::transport {

class ConfigSink {
 public:
  virtual ~ConfigSink() = default;
  virtual void config_pulled(std::string body, std::string etag) = 0;  // new or changed remote configuration
};

struct DeliveryOptions {
  std::int64_t config_pull_interval_ms = 300'000;
  std::string known_etag;  // of the last good configuration
};

struct DeliveryStatus {
  std::uint64_t pushed_batches = 0, pushed_bytes = 0, failures = 0;
  std::int64_t last_push_unix_ns = 0, last_config_unix_ns = 0;
  std::string last_error;  // empty: the last call went well
};

class Delivery {
 public:
  Delivery(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options);
  ~Delivery();  // stop(0)

  void start();
  void wake();                                  // [any thread] something was sealed
  void stop(std::int64_t drain_ms);             // send what can be sent within drain_ms, then end the thread
  [[nodiscard]] DeliveryStatus status() const;  // [any thread]

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
