// One push, from its body to the store's commit.
//
// The caller has decided who pushes (core/server/api); what is refused before the store is asked: push_request.h. [worker
// threads]
#pragma once

#include "core/server/http/message.h"
#include "core/server/ingest/known_schemas.h"
#include "core/server/ingest/push_counters.h"
#include "core/server/ingest/push_request.h"
#include "core/server/store/store.h"

#include <string>

namespace pganalytics::server::ingest {

// `request` has been let in as collector `collector_id`. 200 in the form of docs/API.md, or:
// 400 not JSON, bad envelope, bad key, damaged compression, bare document without type or timestamp
// 403 another collector's id in the body       409 the same number is being stored right now
// 413 expands too far, too many documents      422 the key was used for other content
// 503 the database is away, slow, read-only or full
http::Response push(store::Store& store, KnownSchemas& schemas, const std::string& collector_id, const http::Request& request,
                    const PushLimits& limits, PushCounters& counters);

}  // namespace pganalytics::server::ingest
