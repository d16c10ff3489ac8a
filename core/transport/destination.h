// Where batches are pushed to: our own server (backend.h), or an engine that somebody else wrote (exported_destination.h).
#pragma once

#include "core/spool/batch.h"
#include "core/web/verdict.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::transport {

// What the other side made of a push.
struct PushAnswer {
  using Verdict = web::Verdict;
  Verdict verdict = Verdict::kRetry;
  bool duplicate = false;
  int http_status = 0;               // 0: no answer
  std::int64_t retry_after_ms = 0;   // 0: the server did not say
  std::uint64_t config_version = 0;  // 0: the server did not say
  std::uint32_t accepted = 0, rejected = 0;
  std::vector<std::string> schemas_wanted;      // SHA-256, in hex, of output schemas that the server does not know
  std::uint64_t max_bytes = 0;                  // if too large: what would not be; 0: the server did not say
  bool max_is_expanded = false;                 // max_bytes counts the expanded body, not the compressed one
  std::string server_time;                      // RFC 3339; "": the server did not say
  std::optional<std::int64_t> clock_offset_ms;  // the server's clock less ours, give or take half of the call's time
  std::string reason;                           // for the log
};

// [delivery thread only, but for interrupt()]
class Destination {
 public:
  virtual ~Destination() = default;
  virtual PushAnswer push(const spool::Batch& batch) = 0;
  // [any thread] Make the call under way and every later one fail soon (shutdown).
  virtual void interrupt() = 0;
  [[nodiscard]] virtual const std::string& url() const = 0;
};

}  // namespace pganalytics::transport
