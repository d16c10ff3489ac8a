// GET and PUT /api/v1/config/{id}.
#include <charconv>
#include <pganalytics/json.hpp>

#include "core/server/api/api.h"
#include "core/server/api/config_answer.h"
#include "core/server/api/config_document.h"
#include "core/server/api/config_history.h"
#include "core/server/api/config_status.h"
#include "core/server/api/known_plugins.h"
#include "core/server/api/parameter_text.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

std::string etag_of(std::uint64_t version) { return "\"" + std::to_string(version) + "\""; }

// If-None-Match (RFC 9110, section 13.1.2): "*", or a list of tags; weak ones compare alike.
bool names_tag(std::string_view header, std::string_view tag) {
  if (header == "*") return true;
  for (std::size_t at = header.find(tag); at != std::string_view::npos; at = header.find(tag, at + 1)) {
    const std::size_t end = at + tag.size();
    if (end == header.size() || header[end] == ',' || header[end] == ' ') return true;
  }
  return false;
}

Response answer(const std::string& json, const std::string& tag) {
  return Response::json(200, json).with_header("ETag", tag).with_header("Cache-Control", "no-cache");
}

Response not_changed(const std::string& tag) {
  Response unchanged;
  unchanged.status = 304;
  return std::move(unchanged).with_header("ETag", tag).with_header("Cache-Control", "no-cache");
}

// What was refused says who tried to set what: a key of the host in a document from afar may be an attack.
void audit_refusal(const Call& call, const Error& error) {
  JsonWriter detail;
  detail.begin_object().member("path", error.message.substr(0, error.message.find(": "))).member("reason", error.message);
  detail.end_object();
  const std::string& address = call.request.remote_address;
  call.services.trail.record({call.caller.name(), "config.refused", call.id, address, std::string(detail.text())});
}

// Of "?version=N"; nullopt: the newest is asked for.
Expected<std::optional<std::uint64_t>> read_version(const http::Request& request) {
  PGA_CHECK(check_parameters(request, {"version"}));
  const std::string text = word_of(request, "version");
  if (text.empty()) return std::optional<std::uint64_t>();
  std::int64_t version = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (failure != std::errc() || end != text.data() + text.size() || version < 0)
    return refused("version", "is not a number of 0 or more");
  return std::optional(static_cast<std::uint64_t>(version));
}

Response older(store::Store& store, const std::string& collector_id, std::uint64_t version) {
  const auto row = config_of_version(store, collector_id, version);
  if (!row && row.error().code == "store.config_version") return no_such_version(row.error());
  if (!row) return problem("read an older configuration", row.error());
  return config_answer(row.value());
}

}  // namespace

Response config_answer(const store::ConfigRow& row) {
  return answer(with_version(row.version, row.document), etag_of(row.version));
}

Response no_such_version(const Error& error) { return Response::error(404, "no_such_version", error.message); }

Response serve_get_config(const Call& call) {
  store::Store& store = call.services.store;
  const auto asked = read_version(call.request);
  if (!asked) return bad_request("bad_parameter", asked.error().message);
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  if (asked.value()) return older(store, call.id, *asked.value());
  const auto row = store.config(call.id);
  if (!row) return problem("read a configuration", row.error());
  const std::uint64_t version = row.value().version;
  const std::string json = with_version(version, version == 0 ? default_config() : row.value().document);
  std::string tag = etag_of(version);
  if (!call.caller.role) return names_tag(call.request.header("if-none-match"), tag) ? not_changed(tag) : answer(json, tag);
  // People also see what became of it, which changes while the version does not.
  const auto status = store.config_status(call.id);
  if (!status) return problem("read what a collector says of its configuration", status.error());
  if (status.value()) tag = "\"" + std::to_string(version) + "-" + std::to_string(status.value()->unix_ns) + "\"";
  if (names_tag(call.request.header("if-none-match"), tag)) return not_changed(tag);
  return answer(with_status(json, status.value()), tag);
}

Response serve_put_config(const Call& call) {
  store::Store& store = call.services.store;
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  const auto wanted = read_config(call.request.body, plugins_reported_by(store, call.id));
  if (!wanted) {
    const Error& error = wanted.error();
    if (error.code == "config.host_only") audit_refusal(call, error);
    return error.status == PGA_E_CONFIG ? bad_request("bad_config", error.message) : problem("check a configuration", error);
  }
  const store::AuditEntry entry{call.caller.name(), "config.put", call.id, call.request.remote_address, "{}"};
  const auto version = store.put_config(call.id, wanted.value().json, wanted.value().version, entry);
  if (!version && version.error().code == "store.config_changed")
    return Response::error(409, "config_changed", version.error().message);
  if (!version) return problem("store a configuration", version.error());
  return config_answer({version.value(), wanted.value().json});
}

}  // namespace pganalytics::server::api
