// What the metrics endpoint makes of a request: there is GET and HEAD of /metrics, without a body, and nothing else.
//
// Bytes are read by Beast's parser. Pure, so that it can be fuzzed without a socket. [any thread] Private to this folder.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <optional>

namespace pganalytics::telemetry {

class MetricsParser : public boost::beast::http::request_parser<boost::beast::http::empty_body> {
 public:
  explicit MetricsParser(std::uint32_t head_bytes) {
    header_limit(head_bytes);
    body_limit(std::uint64_t{0});
  }
};

struct Verdict {
  boost::beast::http::status status = boost::beast::http::status::ok;  // ok: the text is wanted
  const char* why = "";                                                // a line that says what is wrong
  bool head_only = false;
  bool keep_alive = false;
};

// `error`: how reading the head ended; more than that is never read. nullopt: nobody is there to be answered, or nothing that
// could be.
std::optional<Verdict> judge(const boost::system::error_code& error, const MetricsParser& parser);

}  // namespace pganalytics::telemetry
