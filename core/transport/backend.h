// The server as the collector sees it: push a batch, pull the configuration. One libcurl handle, HTTP keep-alive, TLS 1.3, client
// certificate, access token renewed over mTLS when two thirds of its life are gone or a 401 came.
//
// Not here: when to call and when to try again (delivery.h). [delivery thread only]
#pragma once

#include "core/spool/batch.h"
#include "core/transport/identity.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct BackendOptions {
  std::string url;
  std::int64_t timeout_ms = 30'000;
  std::int64_t connect_timeout_ms = 5'000;
  std::string user_agent;  // "pganalytics/0.1.0"
};

// What the server made of a push.
struct PushAnswer {
  enum class Verdict {
    kAcknowledged,  // 2xx with our acknowledgement in the body (duplicate included)
    kRetry,         // cannot tell or not now: keep it, try later
    kRefused,       // 400, 422: the batch itself
    kTooLarge,      // 413
    kForbidden,     // 403, 410: we are not welcome; keep everything, try rarely
  };
  Verdict verdict = Verdict::kRetry;
  bool duplicate = false;
  int http_status = 0;               // 0: no answer
  std::int64_t retry_after_ms = 0;   // 0: the server did not say
  std::uint64_t config_version = 0;  // 0: the server did not say
  std::uint32_t accepted = 0, rejected = 0;
  std::string reason;  // for the log
};

struct ConfigAnswer {
  bool modified = false;
  std::string etag, body;  // if modified
};

class Backend {
 public:
  static Expected<std::unique_ptr<Backend>> open(const Identity& identity, BackendOptions options);
  ~Backend();

  PushAnswer push(const spool::Batch& batch);
  Expected<ConfigAnswer> pull_config(const std::string& known_etag);

  // [any thread] Make a call under way return soon (shutdown).
  void interrupt();

 private:
  class Impl;
  explicit Backend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
