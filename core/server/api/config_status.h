// What a collector made of its configuration, as the API shows it. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <optional>
#include <pganalytics/json.hpp>
#include <string>

namespace pganalytics::server::api {

// {"version", "state", "reason", "at"}; reason is null where there is none.
void write_json(JsonWriter& json, const store::ConfigStatus& status);

// The configuration document `json` with the member "collector" at its end, if the collector has said anything yet.
std::string with_status(const std::string& json, const std::optional<store::ConfigStatus>& status);

}  // namespace pganalytics::server::api
