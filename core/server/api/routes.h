// The table of routes: everything this API serves, and who may ask for it. [any thread]
#pragma once

#include "core/server/api/access.h"
#include "core/server/http/message.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pganalytics::server::api {

struct Services;

// One request that was let in.
struct Call {
  Services& services;
  const http::Request& request;
  Caller caller;
  std::string id;  // the path's {id}: a UUID in lower case, or "" if the path has none
};

enum class Body { kNone, kJson, kPush };  // kNone: what comes is ignored; the others must come, as application/json

struct Route {
  std::string_view method;
  std::string_view pattern;
  Access access;
  Body body;
  http::Response (*serve)(const Call& call);
};

struct Found {
  const Route* route = nullptr;
  std::string id;
};

// The route and its {id}, or 404, or 405 with Allow. HEAD finds the GET route.
std::variant<Found, http::Response> find_route(const http::Request& request);

// The whole table: what the documentation has to say.
std::vector<Route> all_routes();

}  // namespace pganalytics::server::api
