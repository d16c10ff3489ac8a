// Answers that several resources give alike. [any thread]
#pragma once

#include "core/server/http/message.h"
#include "core/server/store/store.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::api {

// A failure of the store or the authority: 503 if the database is away, 404 if there is no such thing, else 500. Logged; what the
// caller may not know stays in the log.
http::Response problem(std::string_view doing, const Error& error);

// The same, but 422 "query_too_costly" where the database gave up on a statement that took longer than it may (SQLSTATE 57014).
http::Response costly_or(const Error& error, std::string_view doing);

http::Response bad_request(std::string_view code, std::string_view message);  // 400
http::Response no_such_collector();                                           // 404
// 404, with the nearest name that there is.
http::Response no_such_family(store::Store& store, const std::string& name);
// 403. The connection ends with it: there is nothing more to say to this client.
http::Response collector_revoked();

// The text in lower case if it is a UUID (RFC 9562), else nothing.
std::optional<std::string> parse_uuid(std::string_view text);

}  // namespace pganalytics::server::api
