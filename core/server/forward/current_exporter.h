// An exporter that knows the plugins' schemas as they are now: of each the newest that a collector has sent, and the collectors'
// own.
//
// Documents of an older version of a plugin are read by the newest schema: fields are added and seldom change. Those that do not
// fit are logged and left out by the exporter. [one thread]
#pragma once

#include "core/config/export_config.h"
#include "core/exporters/exporter.h"
#include "core/server/store/store.h"

#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <utility>
#include <vector>

namespace pganalytics::server::forward {

class CurrentExporter {
 public:
  CurrentExporter(store::Store& store, config::ReceiverConfig receiver);  // the store outlives it

  // `newest`: of ForwardLine::newest_schemas(). Good until the next call. Errors are the store's.
  using Digests = std::vector<std::pair<std::string, std::string>>;
  Expected<exporters::Exporter*> get(const Digests& newest);

 private:
  Outcome make(const Digests& newest);

  store::Store& store_;
  const config::ReceiverConfig receiver_;
  Digests known_;
  std::unique_ptr<exporters::Exporter> exporter_;
};

}  // namespace pganalytics::server::forward
