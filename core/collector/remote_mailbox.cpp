#include "core/collector/remote_mailbox.h"

#include <utility>

namespace pganalytics::collector {

void RemoteMailbox::config_pulled(std::string body, std::string etag) {
  {
    const std::lock_guard guard(mutex_);
    newest_ = RemoteDocument{std::move(body), std::move(etag)};
  }
  wake_.wake();
}

std::optional<RemoteDocument> RemoteMailbox::take() {
  const std::lock_guard guard(mutex_);
  return std::exchange(newest_, std::nullopt);
}

}  // namespace pganalytics::collector
