// The header of a request, from its bytes to a Request, or the refusal that HTTP itself demands.
//
// Two steps. scan_head() looks at the bytes before any parser does and refuses what two parsers might read differently: bare CR
// or LF, control bytes, folded lines (RFC 9112, sections 2.2, 5.2; request smuggling lives there). read_head() takes the parsed
// fields: sizes, framing (one Content-Length or one "chunked", never both), fields that may come once only.
//
// Not here: reading from sockets (session.cpp), the target's text (target.cpp). Pure. [any thread]
#pragma once

#include "core/server/http/limits.h"
#include "core/server/http/message.h"
#include "core/server/http/refusals.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstddef>
#include <optional>
#include <string_view>

namespace pganalytics::server::http {

using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

struct HeadScan {
  enum class State { kIncomplete, kWhole, kRefused } state = State::kIncomplete;
  std::size_t size = 0;    // of the whole header, its empty line included
  const char* fault = "";  // of a refused one
};

// `bytes` begins where the request begins; the first `seen` of them were looked at before and were incomplete.
HeadScan scan_head(std::string_view bytes, std::size_t seen);

// A refusal and the name under which it is counted.
struct HeadRefusal {
  Response response;
  Refusal reason;
};

// Of a header that is refused before it was parsed: `bytes` is what is there of it.
HeadRefusal refusal_of_scan(const HeadScan& scan, std::string_view bytes, const Limits& limits);
// Of what the parser did not take, header or chunk.
HeadRefusal refusal_of_parsing(const boost::system::error_code& failure);

// Fills method, path, query and headers of `request`.
std::optional<HeadRefusal> read_head(const Parser::value_type& head, const Limits& limits, Request& request);

}  // namespace pganalytics::server::http
