#include "core/telemetry/metrics_request.h"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/verb.hpp>

namespace pganalytics::telemetry {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

Verdict refusal(http::status status, const char* why, bool head_only = false) { return {status, why, head_only, false}; }

}  // namespace

std::optional<Verdict> judge(const boost::system::error_code& error, const MetricsParser& parser) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refusal(http::status::request_header_fields_too_large, "the request's head is too large\n");
  }
  if (error == http::error::body_limit || (!error && parser.chunked())) {
    return refusal(http::status::payload_too_large, "a scrape has no body\n");
  }
  if (error == http::error::end_of_stream || error == beast::error::timeout || (error && !parser.got_some())) return std::nullopt;
  if (error) return refusal(http::status::bad_request, "this is no HTTP request\n");
  const auto& request = parser.get();
  const bool head_only = request.method() == http::verb::head;
  if (request.target().substr(0, request.target().find('?')) != "/metrics") {
    return refusal(http::status::not_found, "there is /metrics here\n", head_only);
  }
  if (!head_only && request.method() != http::verb::get) {
    return refusal(http::status::method_not_allowed, "/metrics is read with GET or HEAD\n");
  }
  return Verdict{http::status::ok, "", head_only, request.keep_alive()};
}

}  // namespace pganalytics::telemetry
