// The query parameters of GET /api/v1/query, checked. [any thread]
#pragma once

#include "core/server/http/message.h"
#include "core/server/query/answer.h"

#include <pganalytics/expected.hpp>

namespace pganalytics::server::api {

// PGA_E_CONFIG: error.message begins with the parameter's name. Whether there are such families, fields and labels is not looked
// at. Without "to" it is now, without "from" an hour before "to".
Expected<query::Question> read_question(const http::Request& request, std::int64_t now_unix_ns);

}  // namespace pganalytics::server::api
