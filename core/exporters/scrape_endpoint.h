// GET /metrics with what plugins emit (core/telemetry/metrics_endpoint.h): takes documents and answers scrapes.
//
// Whoever gives it documents never waits for it: they are copied into a queue that is bounded by bytes, and what does not fit is
// counted.
//
// Owns the endpoint's thread from open() on. Not here: what the text is made of (exposition.h).
#pragma once

#include "core/config/listen_address.h"
#include "core/exporters/exposition.h"
#include "core/telemetry/metrics_endpoint.h"

#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::exporters {

struct ScrapeLimits {
  telemetry::EndpointLimits endpoint;
  std::size_t queue_bytes = 64u << 20;
};

class ScrapeEndpoint {
 public:
  // PGA_E_FAIL, "telemetry.listen": the address is not to be had.
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
