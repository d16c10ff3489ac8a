// GET /metrics over plain HTTP/1.1, for Prometheus: a listener and the thread that answers.
//
// Those who ask cannot cost more than what is set: so many connections, a head of so many bytes, so many seconds for it and for
// taking the answer. There is neither TLS nor a password here: it is meant for the loopback address, or for a proxy.
//
// Owns a thread from open() on. Not here: what the text says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::telemetry {

struct EndpointLimits {
  std::size_t connections = 16;
  std::uint32_t head_bytes = 8192;  // of the request line, and as many of the fields
  std::int64_t request_ms = 5'000;  // for the request, from the moment of the connection or the answer before
  std::int64_t answer_ms = 10'000;  // for taking the answer
};

class MetricsEndpoint {
 public:
  // Makes the text. [the endpoint's thread; must not wait for anything] What it throws is logged and answered with 500.
  using Text = std::function<std::shared_ptr<const std::string>()>;

  // host: an IP address without brackets; port 0: the system chooses. PGA_E_FAIL, "telemetry.listen": they are not to be had.
  static Expected<std::unique_ptr<MetricsEndpoint>> open(const std::string& host, std::uint16_t port, Text text,
                                                         EndpointLimits limits = {});
  ~MetricsEndpoint();  // closes what is open; work that has not run never runs

  // [any thread] Work for the endpoint's thread, in the order in which it came: for what `text` reads.
  void post(std::function<void()> work);
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit MetricsEndpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::telemetry
