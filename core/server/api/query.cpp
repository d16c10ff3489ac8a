// GET /api/v1/query: fields of a family over time.
#include "core/server/query/answer.h"

#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/server/api/api.h"
#include "core/server/api/problem.h"
#include "core/server/api/query_parameters.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

constexpr std::int64_t kSecondNs = 1'000'000'000;

Response refusal_of(const Error& error, store::Store& store, const query::Question& question) {
  if (error.code == "store.family") return no_such_family(store, question.family);
  if (error.code == "store.collector") return no_such_collector();
  if (error.status == PGA_E_CONFIG) return bad_request("bad_parameter", error.message);
  if (error.status == PGA_E_LIMIT) return Response::error(422, error.code, error.message);
  return costly_or(error, "answer a query");
}

void write(JsonWriter& json, const query::Question& question, const query::Series& series) {
  json.begin_object().member("field", series.field->name).member("unit", text_or_null(series.field->unit));
  json.member("agg", query::to_text(series.aggregate)).key("collector");
  if (series.collector_id.empty()) {
    json.value(nullptr);
  } else {
    json.begin_object().member("id", series.collector_id).member("name", series.collector_name).end_object();
  }
  json.key("labels").begin_object();
  for (const auto& [name, value] : series.labels) json.member(name, value);
  json.end_object();
  if (question.gather) json.member("group", query::to_text(*question.gather)).member("members", series.members);
  json.key("values").begin_array();
  for (const auto& value : series.values) json.value(value);
  json.end_array().end_object();
}

}  // namespace

Response serve_query(const Call& call) {
  const auto question = read_question(call.request, clock::now_unix_ns());
  if (!question) return bad_request("bad_parameter", question.error().message);
  const auto answer = query::answer(call.services.store, question.value());
  if (!answer) return refusal_of(answer.error(), call.services.store, question.value());
  const query::Grid& grid = answer.value().grid;
  JsonWriter json;
  json.begin_object().member("family", answer.value().family.view);
  json.member("from", clock::format_rfc3339(grid.from_unix_s * kSecondNs));
  json.member("to", clock::format_rfc3339(grid.end_unix_s() * kSecondNs));
  json.member("step_seconds", grid.step_s).key("series").begin_array();
  for (const query::Series& series : answer.value().series) write(json, question.value(), series);
  json.end_array().end_object();
  return Response::json(200, std::string(json.text()));
}

}  // namespace pganalytics::server::api
