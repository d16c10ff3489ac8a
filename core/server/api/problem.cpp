#include "core/server/api/problem.h"

#include "core/log/log.h"
#include "core/schema/units.h"

namespace pganalytics::server::api {

http::Response problem(std::string_view doing, const Error& error) {
  if (error.status == PGA_E_NOTFOUND) return no_such_collector();
  log::write(log::Level::kError, doing, error);
  if (error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE) {
    return http::Response::error(503, "database_unavailable", "the server's database cannot be reached now");
  }
  return http::Response::error(500, "internal", "the server failed to answer; its log says why");
}

http::Response costly_or(const Error& error, std::string_view doing) {
  if (error.code != "57014") return problem(doing, error);
  return http::Response::error(422, "query_too_costly",
                               "the database needs too long for this; ask for a shorter range, a longer step or fewer series");
}

http::Response bad_request(std::string_view code, std::string_view message) { return http::Response::error(400, code, message); }

http::Response no_such_collector() { return http::Response::error(404, "no_such_collector", "there is no collector of this id"); }

http::Response no_such_family(store::Store& store, const std::string& name) {
  const auto names = store.family_names();
  if (!names) return problem("list the names of families", names.error());
  const std::string near = schema::nearest(name, *names);
  return http::Response::error(404, "no_such_family",
                               "there is no family of this name; " +
                                   (near.empty() ? "GET /api/v1/families lists them" : "did you mean \"" + near + "\"?"));
}

http::Response collector_revoked() {
  http::Response response = http::Response::error(403, "collector_revoked", "this collector is revoked or not known any more");
  response.ends_connection = true;
  return response;
}

std::optional<std::string> parse_uuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return std::nullopt;
  std::string uuid(text);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (uuid[i] >= 'A' && uuid[i] <= 'F') uuid[i] = static_cast<char>(uuid[i] - 'A' + 'a');
    const bool is_hex = (uuid[i] >= '0' && uuid[i] <= '9') || (uuid[i] >= 'a' && uuid[i] <= 'f');
    if (kForm[i] == '-' ? uuid[i] != '-' : !is_hex) return std::nullopt;
  }
  return uuid;
}

}  // namespace pganalytics::server::api
