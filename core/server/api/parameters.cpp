#include "core/server/api/parameters.h"

#include "core/server/api/parameter_text.h"
#include "core/server/ingest/plugin_id.h"

namespace pganalytics::server::api {
namespace {

constexpr std::uint32_t kMaxLimit = 1'000;

}  // namespace

Expected<store::MetricsQuery> read_metrics_query(const http::Request& request) {
  PGA_CHECK(check_parameters(request, {"type", "from", "to", "limit", "cursor"}));
  store::MetricsQuery query;
  query.type = ingest::canonical_plugin_id(request.query_value("type").value_or(""));
  PGA_TRY(query.from_unix_ns, read_time(request, "from"));
  PGA_TRY(query.to_unix_ns, read_time(request, "to"));
  if (query.from_unix_ns && query.to_unix_ns && *query.from_unix_ns > *query.to_unix_ns)
    return refused("from", "is later than \"to\"");
  PGA_TRY(query.limit, read_limit(request, query.limit, kMaxLimit));
  query.cursor = word_of(request, "cursor");
  return query;
}

}  // namespace pganalytics::server::api
