#include "core/server/api/known_plugins.h"

namespace pganalytics::server::api {

KnowsPlugin plugins_reported_by(store::Store& store, const std::string& collector_id) {
  return [&store, collector_id](const std::string& id) -> Expected<bool> {
    store::MetricsQuery query;
    query.collector_id = collector_id;
    query.type = id;
    query.limit = 1;
    PGA_TRY(const auto page, store.metrics(query));
    return !page.documents.empty();
  };
}

}  // namespace pganalytics::server::api
