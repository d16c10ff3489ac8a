// What a family takes on the disk, as JSON: GET /api/v1/families?sizes=true and the command `storage` say the same. Pure. [any
// thread]
#pragma once

#include "core/server/store/family.h"

#include <pganalytics/json.hpp>

namespace pganalytics::server::api {

// Into an object that is open.
inline void write_size(JsonWriter& json, const store::FamilySize& size) {
  json.member("series", size.series).member("bytes", size.bytes()).member("point_bytes", size.point_bytes);
  json.member("rollup_bytes", size.rollup_bytes).member("event_bytes", size.event_bytes);
}

}  // namespace pganalytics::server::api
