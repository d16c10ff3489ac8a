// Which plugins a collector is known to run, beside those that come with the product: it is known once it has reported.
#pragma once

#include "core/server/api/config_document.h"
#include "core/server/store/store.h"

#include <string>

namespace pganalytics::server::api {

// `store` outlives the result. [any thread]
KnowsPlugin plugins_reported_by(store::Store& store, const std::string& collector_id);

}  // namespace pganalytics::server::api
