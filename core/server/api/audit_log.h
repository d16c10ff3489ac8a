// One entry of the audit log as the API and `pganalytics-server audit list` write it. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <pganalytics/json.hpp>

namespace pganalytics::server::api {

// {"id", "at", "actor", "action", "subject", "address", "detail", "hash"}; "" where there is none.
void write_json(JsonWriter& json, const store::AuditRow& row);

}  // namespace pganalytics::server::api
