// One push, from its body to the store's commit.
//
// The caller has decided who pushes (core/server/api); every answer of this route that depends on the body is made here, so that
// its whole contract can be read in one place. [worker threads]
#pragma once

#include "core/server/http/message.h"
#include "core/server/store/store.h"

#include <cstddef>
#include <string>

namespace pganalytics::server::ingest {

struct PushLimits {
  std::size_t inflated_bytes = 8u << 20;
  // A body may grow to this many times its size; small ones (64 KiB expanded) in any ratio. Tables of idle counters shrink 60
  // times and more, bombs a thousand times.
  std::size_t inflation_ratio = 200;
};

// `request` has been let in as collector `collector_id`. 200 in the form of docs/API.md, or:
// 400 not JSON, bad envelope, bad key, damaged compression, bare document without type or timestamp
// 403 another collector's id in the body       409 the same number is being stored right now
// 413 expands too far, too many documents      422 the key was used for other content
// 503 the database is away, slow, read-only or full
http::Response push(store::Store& store, const std::string& collector_id, const http::Request& request, const PushLimits& limits);

}  // namespace pganalytics::server::ingest
