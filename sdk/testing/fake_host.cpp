// FakeHost: what its instances share, and the faces of both. Called by tests, on their thread; cancel() and advance() on any.
#include <pganalytics/testhost.hpp>

#include <utility>

#include "instance.h"

namespace pganalytics::testing {

Instance::Instance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Instance::Instance(Instance&&) noexcept = default;
Instance& Instance::operator=(Instance&&) noexcept = default;
Instance::~Instance() = default;

const Outcome& Instance::created() const { return impl_->created(); }
Outcome Instance::configure(std::string_view config_json, bool dry_run) { return impl_->configure(config_json, dry_run); }
CollectResult Instance::collect(const CollectOptions& options) { return impl_->collect(options); }
void Instance::cancel() { impl_->cancel(); }
bool Instance::collecting() const { return impl_->collecting(); }
const void* Instance::extension(const char* id) { return impl_->extension(id); }

FakeHost::FakeHost()
    : facts{{"host.name", "\"testhost\""},
            {"collector.id", "\"00000000-0000-4000-8000-000000000000\""},
            {"collector.name", "\"test\""},
            {"product.version", "\"0.0.0\""}} {}
FakeHost::~FakeHost() = default;

Instance FakeHost::create(const pga_plugin* plugin, std::string_view instance) {
  return Instance(std::make_unique<Instance::Impl>(*this, plugin, std::string(instance)));
}

void FakeHost::set_time(std::int64_t unix_ns) {
  const std::lock_guard<std::mutex> lock(clock_mutex_);
  virtual_unix_ns_ = unix_ns;
}

// Instances are cancelled under the lock that their destructors take: none goes away meanwhile.
void FakeHost::advance(std::chrono::nanoseconds step) {
  const std::lock_guard<std::mutex> lock(clock_mutex_);
  if (!virtual_unix_ns_) return;
  *virtual_unix_ns_ += step.count();
  for (Instance::Impl* const instance : instances_) instance->cancel_if_due(*virtual_unix_ns_);
}

void FakeHost::note_violation(std::string what) {
  const std::lock_guard<std::mutex> lock(mutex_);
  violations.push_back(std::move(what));
}

}  // namespace pganalytics::testing
