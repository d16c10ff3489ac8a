// GET /api/v1/families, /api/v1/families/{name}: what can be asked of GET /api/v1/query and /api/v1/events.
#include <map>
#include <pganalytics/json.hpp>

#include "core/server/api/api.h"
#include "core/server/api/family_size.h"
#include "core/server/api/parameter_text.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"
#include "core/server/ingest/plugin_id.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr std::uint32_t kPage = 100, kPageMax = 1'000;

void write_members(JsonWriter& json, std::string_view role, const std::vector<store::FamilyMember>& members) {
  json.key(role).begin_array();
  for (const store::FamilyMember& member : members) {
    json.begin_object().member("name", member.name);
    if (!member.kind.empty()) json.member("kind", member.kind).member("unit", text_or_null(member.unit));
    json.member("description", member.description).end_object();
  }
  json.end_array();
}

// By family; empty unless they are asked for: they cost more than all the rest.
using Sizes = std::map<std::string, store::FamilySize>;

Expected<Sizes> read_sizes(store::Store& store, bool wanted) {
  Sizes sizes;
  if (!wanted) return sizes;
  PGA_TRY(const auto all, store.family_sizes());
  for (const store::FamilySize& size : all) sizes.emplace(size.view, size);
  return sizes;
}

void write(JsonWriter& json, const store::FamilyInfo& family, const store::FamilySize* size = nullptr) {
  json.begin_object().member("family", family.view).member("plugin", family.plugin).member("name", family.name);
  json.member("description", family.description).member("is_events", family.is_events);
  write_members(json, "labels", family.labels);
  write_members(json, "fields", family.fields);
  write_members(json, "facts", family.facts);
  if (size != nullptr) {
    json.key("size").begin_object();
    write_size(json, *size);
    json.end_object();
  }
  json.end_object();
}

}  // namespace

Response serve_families(const Call& call) {
  if (const Outcome known = check_parameters(call.request, {"plugin", "sizes", "limit", "cursor"}); !known)
    return bad_request("bad_parameter", known.error().message);
  const auto limit = read_limit(call.request, kPage, kPageMax);
  if (!limit) return bad_request("bad_parameter", limit.error().message);
  const std::string sizes_wanted = word_of(call.request, "sizes");
  if (!sizes_wanted.empty() && sizes_wanted != "true" && sizes_wanted != "false")
    return bad_request("bad_parameter", "sizes: is neither true nor false");
  const std::string plugin(ingest::canonical_plugin_id(word_of(call.request, "plugin")));
  const std::string cursor = word_of(call.request, "cursor");  // the last family of the page before; none is ever forgotten
  if (!cursor.empty()) {
    const auto last = call.services.store.family(cursor);
    if (!last && last.error().status == PGA_E_NOTFOUND) return bad_request("bad_parameter", "cursor: is not from this list");
    if (!last) return problem("look up a cursor", last.error());
  }
  const auto page = call.services.store.families(plugin, cursor, limit.value());
  if (!page) return problem("list families", page.error());
  const auto sizes = read_sizes(call.services.store, sizes_wanted == "true");
  if (!sizes) return costly_or(sizes.error(), "measure families");
  JsonWriter json;
  json.begin_object().key("families").begin_array();
  for (const store::FamilyInfo& family : page.value().families) {
    const auto size = sizes->find(family.view);
    write(json, family, size == sizes->end() ? nullptr : &size->second);
  }
  json.end_array();
  if (!page.value().next.empty()) json.member("next_cursor", page.value().next);
  json.end_object();
  return Response::json(200, std::string(json.text()));
}

Response serve_family(const Call& call) {
  const auto family = call.services.store.family(call.name);
  if (!family && family.error().status == PGA_E_NOTFOUND) return no_such_family(call.services.store, call.name);
  if (!family) return problem("look up a family", family.error());
  JsonWriter json;
  write(json, family.value());
  return Response::json(200, std::string(json.text()));
}

}  // namespace pganalytics::server::api
