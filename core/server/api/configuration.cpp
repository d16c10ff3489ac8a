// GET and PUT /api/v1/config/{id}.
#include <pganalytics/json.hpp>

#include "core/log/log.h"
#include "core/server/api/api.h"
#include "core/server/api/config_document.h"
#include "core/server/api/known_plugins.h"
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

Response document(std::uint64_t version, std::string_view json) {
  return Response::json(200, with_version(version, json))
      .with_header("ETag", etag_of(version))
      .with_header("Cache-Control", "no-cache");
}

}  // namespace

Response serve_get_config(const Call& call) {
  store::Store& store = call.services.store;
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  const auto row = store.config(call.id);
  if (!row) return problem("read a configuration", row.error());
  const std::uint64_t version = row.value().version;
  if (names_tag(call.request.header("if-none-match"), etag_of(version))) {
    Response unchanged;
    unchanged.status = 304;
    return std::move(unchanged).with_header("ETag", etag_of(version)).with_header("Cache-Control", "no-cache");
  }
  return document(version, version == 0 ? default_config() : row.value().document);
}

Response serve_put_config(const Call& call) {
  store::Store& store = call.services.store;
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  const auto wanted = read_config(call.request.body, plugins_reported_by(store, call.id));
  if (!wanted) {
    const Error& error = wanted.error();
    return error.status == PGA_E_CONFIG ? bad_request("bad_config", error.message) : problem("check a configuration", error);
  }
  if (wanted.value().version) {
    const auto current = store.config(call.id);
    if (!current) return problem("read a configuration", current.error());
    if (current.value().version != *wanted.value().version) {
      return Response::error(409, "config_changed",
                             "version: the stored document has version " + std::to_string(current.value().version) +
                                 "; edit that one, or leave \"version\" out");
    }
  }
  const auto version = store.put_config(call.id, wanted.value().json);
  if (!version) return problem("store a configuration", version.error());
  const Outcome audited =
      store.audit(call.caller.name(), "config.put", call.id, "{\"version\":" + std::to_string(version.value()) + "}");
  if (!audited) log::write(log::Level::kError, "audit config.put of " + call.id, audited.error());
  return document(version.value(), wanted.value().json);
}

}  // namespace pganalytics::server::api
