// What one HTTPS server takes at most. The program sets them from `[limits]` (docs/DEPLOYMENT.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace pganalytics::server::http {

struct Limits {
  unsigned connections = 12'000;               // more are closed at once
  unsigned strangers_per_address = 64;         // connections of one address that have not authenticated; more are closed at once
  unsigned connections_per_collector = 16;     // that have authenticated; more get 429 and are closed
  std::int64_t handshake_timeout_ms = 10'000;  // TLS
  std::int64_t header_timeout_ms = 5'000;      // from a request's first byte to the end of its header
  std::int64_t request_timeout_ms = 30'000;    // for its body, and the same for writing the answer
  std::int64_t body_grace_ms = 5'000;          // after this much of that time a body must have come
  std::size_t body_bytes_per_second = 1'024;   // as fast as this on average
  std::int64_t idle_timeout_ms = 90'000;       // between requests
  std::int64_t stranger_timeout_ms = 30'000;   // the same, before the connection has authenticated
  std::size_t header_bytes = 8 * 1024;         // request line and fields
  std::size_t target_bytes = 4 * 1024;         // of the request line
  std::size_t header_fields = 64;
  unsigned requests_at_work = 4'096;               // more get 503
  std::size_t request_bytes_at_work = 256u << 20;  // of their bodies; more get 503, but one alone is always taken
  // Bodies that are not whole yet: in all, of callers that have not authenticated, of one such address. More get 503.
  unsigned bodies = 512, stranger_bodies = 64, stranger_bodies_per_address = 8;
};

}  // namespace pganalytics::server::http
