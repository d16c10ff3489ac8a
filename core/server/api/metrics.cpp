// GET /api/v1/servers/{id}/metrics: what a collector has sent, newest first, page by page.
#include <algorithm>
#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/schema/document_limits.h"
#include "core/server/api/api.h"
#include "core/server/api/parameters.h"
#include "core/server/api/problem.h"
#include "core/server/api/resources.h"
#include "core/server/api/routes.h"

namespace pganalytics::server::api {
namespace {

using http::Response;

// A page is read from the store in pieces and ends early when its text is this long: a thousand large documents must not be in
// memory at once. A piece is as many documents as make a page if each is as large as it may be.
constexpr std::size_t kPageBytes = 16u << 20;
constexpr std::uint32_t kPieceDocuments = kPageBytes / schema::kDocumentBytes;

void write(JsonWriter& json, const store::StoredDocument& document) {
  json.begin_object().member("type", document.type).member("timestamp", clock::format_rfc3339(document.timestamp_unix_ns));
  if (document.epoch.empty()) {  // a bare document without a key
    json.member("epoch", nullptr).member("seq", nullptr);
  } else {
    json.member("epoch", document.epoch).member("seq", document.seq);
  }
  if (!document.part.empty()) json.member("part", document.part);
  json.member("index", document.index).member("received_at", clock::format_rfc3339(document.received_unix_ns));
  json.key("document").json(document.document).end_object();
}

}  // namespace

Response serve_metrics(const Call& call) {
  store::Store& store = call.services.store;
  auto query = read_metrics_query(call.request);
  if (!query) return bad_request("bad_parameter", query.error().message);
  if (const auto known = store.collector(call.id); !known) return problem("look up a collector", known.error());
  query->collector_id = call.id;

  JsonWriter json;
  json.begin_object().key("metrics").begin_array();
  std::uint32_t wanted = query->limit;
  do {
    query->limit = std::min(wanted, kPieceDocuments);
    const auto piece = store.metrics(query.value());
    if (!piece && piece.error().status == PGA_E_CONFIG) return bad_request("bad_parameter", "cursor: is not from this list");
    if (!piece) return problem("read metrics", piece.error());
    for (const store::StoredDocument& document : piece.value().documents) write(json, document);
    query->cursor = piece.value().next_cursor;
    wanted -= query->limit;
  } while (wanted > 0 && !query->cursor.empty() && json.text().size() < kPageBytes);
  json.end_array();
  if (!query->cursor.empty()) json.member("next_cursor", query->cursor);
  json.end_object();
  return Response::json(200, std::string(json.text()));
}

}  // namespace pganalytics::server::api
