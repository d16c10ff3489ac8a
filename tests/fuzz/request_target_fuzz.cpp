// A request target on any bytes, and the parameters of a metrics query in it: what is let through is decoded UTF-8 within limits.
// links: pganalytics::server_api
#include <cstdlib>
#include <pganalytics/json.hpp>
#include <string_view>

#include "core/server/api/parameters.h"
#include "core/server/http/target.h"

using namespace pganalytics;
using namespace pganalytics::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto target = http::parse_target({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  if (target->path.front() != '/' || target->path.find('\0') != std::string::npos || !is_utf8(target->path)) std::abort();
  http::Request request;
  request.query = std::move(target->query);
  const auto query = api::read_metrics_query(request);
  if (query && (query.value().limit == 0 || query.value().limit > 1000)) std::abort();
  return 0;
}
