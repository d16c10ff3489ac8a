// GET /metrics over plain HTTP/1.1, for Prometheus: a thread of its own that takes documents and answers scrapes.
//
// Whoever gives it documents never waits for it: they are copied into a queue that is bounded by bytes, and what does not fit is
// counted. Nor can those who ask cost more than what is set: so many connections, a head of so many bytes, so many seconds for
// it and for taking the answer. There is neither TLS nor a password here: it is meant for the loopback address, or for a proxy.
//
// Owns a thread from open() on. Not here: what the text is made of (exposition.h).
#pragma once

#include "core/config/listen_address.h"
#include "core/exporters/exposition.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::exporters {

struct ScrapeLimits {
  std::size_t connections = 16;
  std::uint32_t head_bytes = 8192;
  std::int64_t request_ms = 5'000;  // for the request, from the moment of the connection or the answer before
  std::int64_t answer_ms = 10'000;  // for taking the answer
  std::size_t queue_bytes = 64u << 20;
};

class ScrapeEndpoint {
 public:
  // PGA_E_FAIL, "exporters.listen": the address is not to be had.
  static Expected<std::unique_ptr<ScrapeEndpoint>> open(const config::ListenAddress& address, ExpositionOptions options,
                                                        ScrapeLimits limits = {});
  ~ScrapeEndpoint();

  // [any thread] What a run of `instance` emitted.
  void take(const std::string& instance, const std::vector<std::string>& documents);
  // [any thread] From now on: other schemas, families, times (Exposition::use).
  void use(ExpositionOptions options);
  // The port that is listened on: of port 0 the one that the system chose.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit ScrapeEndpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::exporters
