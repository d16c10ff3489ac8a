// The delivery thread: pushes what waits (pusher.h), pulls configuration at its interval, tells what became of it.
//
// With our own server, configuration is pulled (and the certificate renewed when due) at start, at its interval, and at once when
// a push's answer tells of a newer one. Without the server everything goes on with what is here. One log line per change: away,
// back.
//
// Owns a thread from start() to stop(). ConfigSink is called on that thread; an implementation hands over to the main thread.
#pragma once

#include "core/spool/outbox.h"
#include "core/transport/backend.h"
#include "core/transport/pusher.h"

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
  std::int64_t config_pull_interval_ms = 300'000;  // +- 10 %
  std::string known_etag;                          // of the last good configuration
  PushOptions push;
  const SchemaShelf* schemas = nullptr;  // what the server may ask for; outlives the delivery; nullptr: nothing
};

// failures and last_error are of pushing and pulling together.
struct DeliveryStatus : PushStatus {
  std::int64_t last_config_unix_ns = 0;
};

class Delivery {
 public:
  Delivery(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options);
  // Somebody else's engine: there is nothing to pull, to renew or to report. Of the options `push` counts.
  Delivery(std::unique_ptr<Destination> destination, spool::Outbox& outbox, DeliveryOptions options);
  ~Delivery();  // stop(0)

  void start();
  void wake();  // [any thread] something was sealed
  // [any thread] Tell the server, as soon and as long as it takes; a newer report takes the place of one that is on its way.
  void report_config(ConfigReport report);
  // Send what can be sent within drain_ms, then end the thread: a call of the server within a second, one of the outbox when that
  // answers. An outbox that has failed is not asked again.
  void stop(std::int64_t drain_ms);
  [[nodiscard]] DeliveryStatus status() const;  // [any thread]

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
