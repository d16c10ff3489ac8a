// An answer that is no success, as an Error for the log: its status, what its body says, when to come again.
//
// The body is foreign bytes, cut and mended for a log line. Pure functions. [any thread]
#pragma once

#include "core/web/http_client.h"

#include <cstddef>
#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::web {

constexpr std::size_t kMessageBytesMax = 300;  // of what a body says

constexpr bool is_success(int status) { return status >= 200 && status < 300; }

// What {"error":{"code","message","max_bytes"}} says; empty if the body is another.
struct Problem {
  std::string code, message;
  std::uint64_t max_bytes = 0;
};
Problem problem_of(const HttpAnswer& answer);

// PGA_E_DENIED for 401, 403 and 410, PGA_E_NOTFOUND for 404, PGA_E_TRANSIENT for what may pass, PGA_E_FAIL else; code
// "http.<status>"; the server's own message; its Retry-After.
Error refusal(const HttpAnswer& answer, std::int64_t now_unix_ns);

}  // namespace pganalytics::web
