#include "core/exporters/scrape_endpoint.h"

#include "core/clock/clock.h"

#include <atomic>
#include <utility>

namespace pganalytics::exporters {
namespace {

std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

}  // namespace

class ScrapeEndpoint::Impl {
 public:
  Impl(ExpositionOptions options, const ScrapeLimits& limits)
      : queue_bytes_max_(limits.queue_bytes), exposition_(std::move(options)) {}

  Outcome listen(const config::ListenAddress& address, const ScrapeLimits& limits) {
    PGA_TRY(endpoint_, telemetry::MetricsEndpoint::open(
                           address.host, address.port, [this] { return exposition_.text(now_ms()); }, limits.endpoint));
    return {};
  }

  void take(const std::string& instance, const std::vector<std::string>& documents) {
    std::size_t bytes = 0;
    for (const std::string& document : documents) bytes += document.size();
    if (queued_bytes_.fetch_add(bytes) + bytes > queue_bytes_max_) {
      queued_bytes_ -= bytes;
      return endpoint_->post([this, count = documents.size()] { exposition_.missed(count); });
    }
    endpoint_->post([this, instance, documents, bytes] {
      exposition_.take(instance, documents, now_ms());
      queued_bytes_ -= bytes;
    });
  }

  void use(ExpositionOptions options) {
    endpoint_->post([this, options = std::move(options)] { exposition_.use(options); });
  }

  [[nodiscard]] std::uint16_t port() const { return endpoint_->port(); }

 private:
  const std::size_t queue_bytes_max_;
  std::atomic<std::size_t> queued_bytes_{0};
  Exposition exposition_;  // on the endpoint's thread only, which ends before it
  std::unique_ptr<telemetry::MetricsEndpoint> endpoint_;
};

Expected<std::unique_ptr<ScrapeEndpoint>> ScrapeEndpoint::open(const config::ListenAddress& address, ExpositionOptions options,
                                                               ScrapeLimits limits) {
  auto impl = std::make_unique<Impl>(std::move(options), limits);
  PGA_CHECK(impl->listen(address, limits));
  return std::unique_ptr<ScrapeEndpoint>(new ScrapeEndpoint(std::move(impl)));
}

ScrapeEndpoint::ScrapeEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScrapeEndpoint::~ScrapeEndpoint() = default;

void ScrapeEndpoint::take(const std::string& instance, const std::vector<std::string>& documents) {
  impl_->take(instance, documents);
}
void ScrapeEndpoint::use(ExpositionOptions options) { impl_->use(std::move(options)); }
std::uint16_t ScrapeEndpoint::port() const { return impl_->port(); }

}  // namespace pganalytics::exporters
