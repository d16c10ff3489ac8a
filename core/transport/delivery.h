// The delivery thread: drains the outbox, pulls configuration at its interval, waits by the one retry policy (core/backoff).
//
// A batch leaves the outbox only acknowledged, or set aside and counted: "too_large" (413), "poison" (refused twice with 400 or
// 422). When three different batches in a row are refused, the fault is the server's: nothing more is set aside until it takes
// one. Configuration is pulled (and the certificate renewed when due) at start, at its interval, and at once when a push's answer
// tells of a newer one. Without the server everything goes on with what is here. One log line per change: away, back.
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
  std::int64_t config_pull_interval_ms = 300'000;  // +- 10 %
  std::string known_etag;                          // of the last good configuration
  // After a failure: full jitter, doubling.
  std::int64_t retry_first_ms = 1'000, retry_max_ms = 120'000;
  // After 400 or 422: the same batch once more this much later, then it is poison.
  std::int64_t refused_retry_ms = 60'000;
  // After 403 or 410: somebody has to act first.
  std::int64_t forbidden_first_ms = 300'000, forbidden_max_ms = 3'600'000;
};

struct DeliveryStatus {
  std::uint64_t pushed_batches = 0, pushed_bytes = 0, failures = 0;
  std::int64_t last_push_unix_ns = 0, last_config_unix_ns = 0;
  // The newest batches that the server acknowledged and that it refused as they are (not for now, not for who we are): what was
  // sealed since a moment has passed if one of it is here. seq 0: none yet.
  spool::BatchKey newest_acknowledged, newest_refused;
  std::string refused_reason;
  std::string last_error;  // of pushing, else of pulling; empty: the last of each went well
};

class Delivery {
 public:
  Delivery(std::unique_ptr<Backend> backend, spool::Outbox& outbox, ConfigSink& sink, DeliveryOptions options);
  ~Delivery();  // stop(0)

  void start();
  void wake();  // [any thread] something was sealed
  // [any thread] Tell the server, as soon and as long as it takes; a newer report takes the place of one that is on its way.
  void report_config(ConfigReport report);
  void stop(std::int64_t drain_ms);             // send what can be sent within drain_ms, then end the thread
  [[nodiscard]] DeliveryStatus status() const;  // [any thread]

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
