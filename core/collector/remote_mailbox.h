// A remote configuration on its way from the delivery thread to the main thread.
#pragma once

#include "core/collector/wake_signals.h"
#include "core/transport/delivery.h"

#include <mutex>
#include <optional>
#include <string>

namespace pganalytics::collector {

// As it was pulled: whatever the server says is a configuration.
struct RemoteDocument {
  std::string body, etag;
};

// The newest document wins.
class RemoteMailbox : public transport::ConfigSink {
 public:
  explicit RemoteMailbox(const WakeSignals& wake) : wake_(wake) {}
  void config_pulled(std::string body, std::string etag) override;  // [delivery thread]
  std::optional<RemoteDocument> take();                             // [main thread]

 private:
  const WakeSignals& wake_;
  std::mutex mutex_;
  std::optional<RemoteDocument> newest_;  // under mutex_
};

}  // namespace pganalytics::collector
