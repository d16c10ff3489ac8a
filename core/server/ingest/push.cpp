#include "core/server/ingest/push.h"

#include <algorithm>
#include <pganalytics/json.hpp>
#include <utility>
#include <variant>

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/ingest/push_rows.h"

namespace pganalytics::server::ingest {
namespace {

using http::Response;

Response acknowledgement(const PushRequest& request, const store::PushResult& result,
                         const std::vector<store::UnreadDocuments>& unread, std::uint64_t config_version) {
  JsonWriter json;
  json.begin_object().member("status", "success");
  if (request.key) json.member("ack", request.key->text());
  json.member("metrics_count", result.accepted).member("duplicate", result.kind == store::PushResult::Kind::kDuplicate);
  json.key("rejected").begin_array();
  std::uint32_t index = 0;
  for (const Element& element : request.envelope.elements) {
    if (!element.fault_code.empty()) {
      json.begin_object().member("index", index).member("code", element.fault_code).member("message", element.fault).end_object();
    }
    ++index;
  }
  json.end_array();
  if (!unread.empty()) {
    json.key("schemas_wanted").begin_array();
    for (const store::UnreadDocuments& documents : unread) json.value(documents.schema_sha256);
    json.end_array();
  }
  json.member("config_version", config_version);
  json.member("server_time", clock::format_rfc3339(clock::now_unix_ns())).end_object();
  return Response::json(200, std::string(json.text()));
}

Response failed(const Error& error) {
  if (error.status == PGA_E_DENIED) {
    Response revoked = Response::error(403, "collector_revoked", "this collector is revoked or not known any more");
    revoked.ends_connection = true;
    return revoked;
  }
  log::write(log::Level::kError, "store a push", error);
  if (error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE) {
    return Response::error(503, "database_unavailable", "the push could not be stored now");
  }
  return Response::error(500, "internal", "the push could not be stored; the server's log says why");
}

void count_stored(PushCounters& counters, const PushRequest& request, const store::RowBatch* rows, std::uint32_t documents) {
  ++counters.stored;
  counters.documents += documents;
  if (rows != nullptr) {
    counters.points += rows->points();
    counters.events += static_cast<std::uint64_t>(std::count(rows->events().begin(), rows->events().end(), '\n'));  // a line each
  }
  for (const Element& element : request.envelope.elements) {
    if (!element.fault_code.empty()) counters.reject(element.fault_code);
  }
}

// The documents are stored, whatever becomes of this question: 0 says "not known".
std::uint64_t config_version(store::Store& store, const std::string& collector_id, const store::PushResult& result) {
  if (result.config_version) return *result.config_version;
  const auto config = store.config(collector_id);
  return config ? config.value().version : 0;
}

Response store_push(store::Store& store, KnownSchemas& schemas, const std::string& collector_id, const http::Request& request,
                    const PushLimits& limits, PushCounters& counters) {
  auto read = read_push(collector_id, request, limits);
  if (auto* refusal = std::get_if<Response>(&read)) return std::move(*refusal);
  PushRequest& wanted = std::get<PushRequest>(read);
  auto rows = read_rows(store, schemas, collector_id, wanted.envelope);
  if (!rows) return failed(rows.error());
  if (wanted.envelope.bare && !wanted.envelope.elements.front().fault_code.empty()) {
    return Response::error(400, wanted.envelope.elements.front().fault_code, wanted.envelope.elements.front().fault);
  }
  store::Push given = to_store(collector_id, wanted);
  given.rows = rows->rows.get();
  given.unread = rows->unread;
  const auto result = store.push(given);
  if (!result) return failed(result.error());
  switch (result.value().kind) {
    case store::PushResult::Kind::kConflict:
      return Response::error(422, "key_conflict", "this Idempotency-Key was used for other content");
    case store::PushResult::Kind::kPartStored:
      return Response::error(422, "part_stored", "a part of this batch is stored already; send its halves");
    case store::PushResult::Kind::kInProgress:
      return Response::error(409, "in_progress", "this batch is being stored right now").with_header("Retry-After", "1");
    case store::PushResult::Kind::kStored: count_stored(counters, wanted, rows->rows.get(), result.value().accepted); break;
    case store::PushResult::Kind::kDuplicate: ++counters.duplicate; break;
  }
  return acknowledgement(wanted, result.value(), rows->unread, config_version(store, collector_id, result.value()));
}

}  // namespace

Response push(store::Store& store, KnownSchemas& schemas, const std::string& collector_id, const http::Request& request,
              const PushLimits& limits, PushCounters& counters) {
  Response response = store_push(store, schemas, collector_id, request, limits, counters);
  if (response.status >= 500) ++counters.failed;
  if (response.status >= 400 && response.status < 500) ++counters.refused;
  return response;
}

}  // namespace pganalytics::server::ingest
