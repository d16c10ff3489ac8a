#include "core/server/api/parameters.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "core/clock/clock.h"
#include "core/schema/units.h"
#include "core/server/ingest/plugin_id.h"

namespace pganalytics::server::api {
namespace {

constexpr std::uint32_t kMaxLimit = 1'000;
constexpr std::size_t kMaxValueBytes = 512;

Error refused(std::string_view parameter, std::string_view why) {
  return Error{PGA_E_CONFIG, "bad_parameter", std::string(parameter) + ": " + std::string(why), {}, 0};
}

Outcome check_names(const http::Request& request) {
  static const std::vector<std::string> kKnown = {"type", "from", "to", "limit", "cursor"};
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      const std::string near = schema::nearest(name, kKnown);
      return refused(name, "unknown parameter" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    }
    if (!seen.insert(name).second) return refused(name, "given twice");
    if (value.empty()) return refused(name, "has no value");
    if (value.size() > kMaxValueBytes) return refused(name, "is longer than 512 bytes");
  }
  return {};
}

Expected<std::optional<std::int64_t>> read_time(const http::Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<std::int64_t>();
  const auto time = clock::parse_rfc3339(*text);
  if (!time) return refused(name, "is not an RFC 3339 date-time like 2026-02-03T04:05:06Z");
  return time;
}

Expected<std::uint32_t> read_limit(const http::Request& request) {
  const auto text = request.query_value("limit");
  if (!text) return store::MetricsQuery().limit;
  const bool is_number = text->find_first_not_of("0123456789") == std::string_view::npos;
  std::uint32_t limit = 0;
  const auto code = std::from_chars(text->data(), text->data() + text->size(), limit).ec;
  if (is_number && code == std::errc::result_out_of_range) return kMaxLimit;
  if (!is_number || limit == 0) return refused("limit", "is not a number of 1 or more");
  return std::min(limit, kMaxLimit);
}

}  // namespace

Expected<store::MetricsQuery> read_metrics_query(const http::Request& request) {
  PGA_CHECK(check_names(request));
  store::MetricsQuery query;
  query.type = ingest::canonical_plugin_id(request.query_value("type").value_or(""));
  PGA_TRY(query.from_unix_ns, read_time(request, "from"));
  PGA_TRY(query.to_unix_ns, read_time(request, "to"));
  if (query.from_unix_ns && query.to_unix_ns && *query.from_unix_ns > *query.to_unix_ns)
    return refused("from", "is later than \"to\"");
  PGA_TRY(query.limit, read_limit(request));
  query.cursor = std::string(request.query_value("cursor").value_or(""));
  return query;
}

}  // namespace pganalytics::server::api
