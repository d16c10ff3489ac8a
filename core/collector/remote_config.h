// Remote configuration between its arrival and its acceptance.
//
// A document is taken over (collector.cpp), then on trial: each plugin that is enabled has to finish one run well under it, and
// none may refuse it. Then it becomes the last good one, which the spool keeps and which holds from the next start even when the
// server is away. One that a plugin refuses is withdrawn.
#pragma once

#include "core/collector/wake_signals.h"
#include "core/host/supervisor.h"
#include "core/transport/delivery.h"

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::collector {

struct RemoteDocument {
  std::string body, etag;
};

// From the delivery thread to the main thread; the newest document wins.
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

// The trial of one document. [main thread]
class Trial {
 public:
  Trial(RemoteDocument document, std::set<std::string> plugins) : document_(std::move(document)), waiting_(std::move(plugins)) {}

  void run_succeeded(const std::string& plugin) { waiting_.erase(plugin); }
  // Why the document has to go; nullopt: nothing speaks against it.
  [[nodiscard]] std::optional<std::string> objection(const std::vector<host::PluginHealth>& health) const;
  [[nodiscard]] bool passed() const { return waiting_.empty(); }
  [[nodiscard]] const RemoteDocument& document() const { return document_; }

 private:
  RemoteDocument document_;
  std::set<std::string> waiting_;  // plugins that have not run well under it yet
};

}  // namespace pganalytics::collector
