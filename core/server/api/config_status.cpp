// POST /api/v1/config/{id}/status: the collector's own word on the newest configuration it was given.
#include "core/server/api/config_status.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/clock/clock.h"
#include "core/schema/json_text.h"
#include "core/server/api/api.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;
using rapidjson::Value;

constexpr std::size_t kReasonBytes = 4'096;
constexpr std::array<std::string_view, 4> kStates = {"applied", "probation", "rejected", "reverted"};

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

Error wrong(const char* what) { return Error{PGA_E_CONFIG, "bad_status", what, "", 0}; }

Expected<store::ConfigStatus> read_status(std::string_view body) {
  schema::JsonLimits limits;
  limits.depth = 4;
  limits.object_keys = 16;
  PGA_TRY(const rapidjson::Document document, schema::parse_json(body, limits));
  if (!document.IsObject()) return wrong("the body is not a JSON object");
  store::ConfigStatus status;
  for (const auto& member : document.GetObject()) {
    const std::string_view key = text_of(member.name);
    const Value& value = member.value;
    if (key == "version") {
      constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      if (!value.IsUint64() || value.GetUint64() > kMax) return wrong("version: not a number of 0 or more");
      status.version = value.GetUint64();
    } else if (key == "state") {
      if (!value.IsString() || std::find(kStates.begin(), kStates.end(), text_of(value)) == kStates.end())
        return wrong(R"(state: one of "applied", "probation", "rejected" and "reverted")");
      status.state = text_of(value);
    } else if (key == "reason") {
      if (value.IsNull()) continue;
      if (!value.IsString() || value.GetStringLength() > kReasonBytes || text_of(value).find('\0') != std::string_view::npos)
        return wrong("reason: a text of at most 4096 bytes without zero bytes");
      status.reason = text_of(value);
    } else {
      return wrong("the members are version, state and reason");
    }
  }
  if (!document.HasMember("version") || status.state.empty()) return wrong("version and state are needed");
  return status;
}

// That a collector did not keep what it was given is for whoever gave it.
store::AuditEntry entry_of(const Call& call, const store::ConfigStatus& status) {
  JsonWriter detail;
  detail.begin_object().member("version", status.version).member("reason", status.reason).end_object();
  return {call.caller.name(), "config." + status.state, call.id, call.request.remote_address, std::string(detail.text())};
}

}  // namespace

void write_json(JsonWriter& json, const store::ConfigStatus& status) {
  json.begin_object()
      .member("version", status.version)
      .member("state", status.state)
      .member("reason", status.reason.empty() ? std::nullopt : std::optional(status.reason))
      .member("at", clock::format_rfc3339(status.unix_ns))
      .end_object();
}

std::string with_status(const std::string& json, const std::optional<store::ConfigStatus>& status) {
  if (!status) return json;
  JsonWriter member;
  write_json(member, *status);
  return json.substr(0, json.size() - 1) + ",\"collector\":" + std::string(member.text()) + "}";
}

Response serve_config_status(const Call& call) {
  const auto status = read_status(call.request.body);
  if (!status) return bad_request("bad_status", status.error().message);
  const auto kept = call.services.store.set_config_status(call.id, status.value(), entry_of(call, status.value()));
  if (!kept && kept.error().code == "store.config_version") return bad_request("bad_status", "version: " + kept.error().message);
  if (!kept) return problem("keep what a collector says of its configuration", kept.error());
  Response done;
  done.status = 204;
  return done;
}

}  // namespace pganalytics::server::api
