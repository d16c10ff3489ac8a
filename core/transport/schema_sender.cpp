#include "core/transport/schema_sender.h"

#include "core/clock/clock.h"
#include "core/log/log.h"

namespace pganalytics::transport {
namespace {

constexpr std::int64_t kRetryMs = 60'000;

std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

}  // namespace

void SchemaSender::wanted(const std::vector<std::string>& sha256s) {
  if (backend_ == nullptr || shelf_ == nullptr) return;
  for (const std::string& sha256 : sha256s) {
    for (const OutputSchema& schema : shelf_->find(sha256)) {
      const Key key{schema.sha256, schema.type};
      if (refused_.find(key) == refused_.end()) waiting_.insert(key);
    }
  }
}

std::int64_t SchemaSender::due_ms() const { return waiting_.empty() ? INT64_MAX : not_before_ms_; }

void SchemaSender::send_next() {
  if (waiting_.empty() || now_ms() < not_before_ms_) return;
  const Key key = *waiting_.begin();
  waiting_.erase(waiting_.begin());
  for (const OutputSchema& schema : shelf_->find(key.first)) {
    if (schema.type != key.second) continue;
    const Outcome sent = backend_->put_schema(schema);
    if (sent) return log::debug("the server has the output schema of " + schema.type);
    log::write(log::Level::kWarn, "send the output schema of " + schema.type, sent.error());
    const bool may_pass = sent.error().status == PGA_E_TRANSIENT || sent.error().status == PGA_E_DENIED;
    if (may_pass) {
      not_before_ms_ = now_ms() + kRetryMs;
    } else {
      refused_.insert(key);
    }
  }
}

}  // namespace pganalytics::transport
