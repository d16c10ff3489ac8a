#include "core/collector/remote_config.h"

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

std::optional<std::string> Trial::objection(const std::vector<host::PluginHealth>& health) const {
  for (const host::PluginHealth& plugin : health) {
    if (waiting_.count(plugin.plugin) == 0) continue;
    // What the supervisor notes when a plugin refuses a configuration; one that runs already keeps the configuration before.
    const bool refused = plugin.last_error.rfind("configuration refused", 0) == 0;
    if (refused || plugin.state == "failed") return "plugin " + plugin.plugin + ": " + plugin.last_error;
  }
  return std::nullopt;
}

}  // namespace pganalytics::collector
