// How the HTTP side asks the API: once when the headers are in and, if it was let in, once more with the body.
//
// So a stranger's body is never read, a body is never larger than its route allows, and "Expect: 100-continue" gets an honest
// answer. Both calls come from the server's worker threads, may block, and must be thread-safe.
#pragma once

#include "core/server/http/message.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <variant>

namespace pganalytics::server::http {

struct Accepted {
  std::function<Response(const Request& request)> serve;
  std::size_t body_bytes = 0;  // larger bodies get 413
  bool needs_body = false;     // a request without Content-Length and without chunks gets 411
  std::string_view route;      // of the request, as in Response
  bool authenticated = false;  // the connection has shown who it is: it may idle longer
};

using Admission = std::variant<Response, Accepted>;  // a refusal, or how to go on

// What has been answered, for who counts and logs. References are good for the call.
struct Answered {
  const Request& request;  // as far as it was read
  std::string_view route;  // "": no route's, or it was refused before that was looked at
  int status = 0;
  std::int64_t took_ns = 0;  // from the end of the header until the answer was ready
};
// [I/O threads, several at once; never blocks]
using Observer = std::function<void(const Answered&)>;

// `head` has everything but the body.
using Handler = std::function<Admission(const Request& head)>;

}  // namespace pganalytics::server::http
