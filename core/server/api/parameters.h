// The query parameters of GET /api/v1/servers/{id}/metrics, checked. [any thread]
#pragma once

#include "core/server/http/message.h"
#include "core/server/store/store.h"

#include <pganalytics/expected.hpp>

namespace pganalytics::server::api {

// Everything of the store's question but the collector. PGA_E_CONFIG: error.message begins with the parameter's name. Unknown
// parameters, repeated ones and empty values are refused; a limit above 1000 is 1000.
Expected<store::MetricsQuery> read_metrics_query(const http::Request& request);

}  // namespace pganalytics::server::api
