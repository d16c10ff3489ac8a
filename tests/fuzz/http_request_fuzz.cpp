// Bytes on a connection, as the session reads them: the look at the whole header, Beast's parser, the header's meaning, the body
// in pieces, and the next request behind it. What is let through has one meaning: one framing, one Host, no control bytes.
// The first byte is the size of the pieces that a body comes in.
// links: pganalytics::server_http
#include "core/server/http/request_head.h"

#include <boost/asio/buffer.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

using namespace pganalytics::server::http;

namespace {

constexpr std::size_t kBodyBytesMax = 16 << 10;
const Limits kLimits;

void require(bool promise) {
  if (!promise) std::abort();
}

void check_refusal(const HeadRefusal& refusal) { require(refusal.response.status >= 400 && refusal.response.status < 600); }

void check_request(const Request& request) {
  require(!request.path.empty() && request.path.front() == '/' && request.path.find('\0') == std::string::npos);
  require(request.headers.count("content-length") == 0 || request.headers.count("transfer-encoding") == 0);
  for (const auto& [name, value] : request.headers) {
    require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string::npos);
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
}

// Takes one request off the front of `bytes`; false: the connection ends.
bool take_request(std::string_view& bytes, std::size_t piece) {
  // As it trickles in: what was looked at before is not looked at again.
  HeadScan scan;
  for (std::size_t there = 0; scan.state == HeadScan::State::kIncomplete && there < bytes.size();) {
    const std::size_t seen = there;
    there = std::min(bytes.size(), there + piece);
    scan = scan_head(bytes.substr(0, there), seen);
  }
  const HeadScan at_once = scan_head(bytes, 0);
  require(scan.state == at_once.state && scan.size == at_once.size);
  if (scan.state == HeadScan::State::kIncomplete) return false;
  if (scan.state == HeadScan::State::kRefused) return check_refusal(refusal_of_scan(scan, bytes, kLimits)), false;
  require(scan.size <= bytes.size());

  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(kLimits.header_bytes + 1));
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  boost::system::error_code error;
  const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), scan.size), error);
  if (error && error != boost::beast::http::error::need_more) return check_refusal(refusal_of_parsing(error)), false;
  if (!parser.is_header_done()) return false;
  require(used == scan.size);  // two parsers that end the header at different places are request smuggling
  bytes.remove_prefix(used);
  Request request;
  if (const auto refusal = read_head(parser.get(), kLimits, request)) return check_refusal(*refusal), false;
  check_request(request);

  if (parser.content_length().value_or(0) > kBodyBytesMax) return false;
  parser.body_limit(kBodyBytesMax);
  parser.eager(true);
  while (!parser.is_done() && !bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    const std::size_t taken = parser.put(boost::asio::buffer(part.data(), part.size()), error);
    bytes.remove_prefix(taken);
    if (error == boost::beast::http::error::need_more) {
      if (taken == 0) {
        if (part.size() == bytes.size()) return false;
        piece = std::min<std::size_t>(piece * 2, 1 << 16);  // a chunk's header does not fit in this piece
      }
      continue;
    }
    if (error) return check_refusal(refusal_of_parsing(error)), false;
  }
  require(parser.get().body().size() <= kBodyBytesMax);
  return parser.is_done() && parser.keep_alive();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 97 + 1U;
  for (int requests = 0; requests < 16 && !bytes.empty() && take_request(bytes, piece); ++requests) {
  }
  return 0;
}
