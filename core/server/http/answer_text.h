// An answer as the bytes that go out. Pure. [any thread]
#pragma once

#include "core/server/http/message.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace pganalytics::server::http {

// `request_id` goes out as X-Request-Id unless it is empty. Status line, fields and, unless `head_only`, the body. 204 and 304
// have none. Cache-Control is no-store where the response says nothing else; a response's own fields come from this program, so
// they hold no line breaks.
std::string answer_text(const Response& response, std::string_view request_id, bool head_only, bool keep_alive,
                        std::int64_t now_unix_ns);

}  // namespace pganalytics::server::http
