// Bytes on a connection to the metrics endpoint, in pieces: Beast's parser and what is made of its result. Only GET and HEAD of
// /metrics get the text, nothing is taken in beyond the limit of a head, and how bytes below it are cut makes no difference.
// The first byte is the size of the pieces.
// links: pganalytics::telemetry
#include "core/telemetry/metrics_request.h"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace pganalytics::telemetry;
namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t kHeadBytes = 512;

void require(bool promise) {
  if (!promise) std::abort();
}

struct Read {
  std::optional<Verdict> verdict;
  std::size_t bytes = 0;  // of the request
};

// As the endpoint reads: what the parser leaves stays for the next look, in a buffer of kHeadBytes.
Read read(std::string_view bytes, std::size_t piece) {
  MetricsParser parser(kHeadBytes);
  boost::system::error_code error;
  std::size_t used = 0, there = 0;
  while (!error && !parser.is_header_done()) {
    const std::size_t next = std::min({bytes.size(), there + piece, used + kHeadBytes});
    if (there == bytes.size()) {
      error = parser.got_some() ? http::error::partial_message : http::error::end_of_stream;
    } else if (next == there) {
      error = http::error::buffer_overflow;
    } else {
      there = next;
      used += parser.put(boost::asio::buffer(bytes.data() + used, there - used), error);
      if (error == http::error::need_more) error = {};
    }
  }
  require(used <= there && used <= 2 * kHeadBytes);
  return {judge(error, parser), used};
}

bool has(const Read& seen, http::status status) { return seen.verdict && seen.verdict->status == status; }
bool is_ok(const Read& seen) { return has(seen, http::status::ok); }
bool is_too_large(const Read& seen) { return has(seen, http::status::request_header_fields_too_large); }

void check(const Read& seen, std::string_view bytes) {
  const Verdict& verdict = *seen.verdict;
  const auto status = static_cast<unsigned>(verdict.status);
  if (verdict.status != http::status::ok) {
    require(status >= 400 && status < 500 && !verdict.keep_alive && std::string_view(verdict.why).back() == '\n');
    return;
  }
  while (bytes.substr(0, 2) == "\r\n") bytes.remove_prefix(2);  // Beast forgives these (RFC 9112, section 2.2)
  const std::string_view begins = verdict.head_only ? "HEAD /metrics" : "GET /metrics";
  require(bytes.substr(0, begins.size()) == begins);
  require(bytes.substr(begins.size(), 1) == " " || bytes.substr(begins.size(), 1) == "?");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = data[0] % 97 + 1U;
  for (int requests = 0; requests < 16 && !bytes.empty(); ++requests) {
    const Read in_pieces = read(bytes, piece), at_once = read(bytes, bytes.size());
    if (is_too_large(in_pieces) || is_too_large(at_once)) return 0;  // Beast looks at the limit when a piece comes
    require(is_ok(in_pieces) == is_ok(at_once));
    if (!in_pieces.verdict) return 0;
    check(in_pieces, bytes);
    if (!in_pieces.verdict->keep_alive) return 0;
    require(in_pieces.bytes == at_once.bytes);
    bytes.remove_prefix(in_pieces.bytes);
  }
  return 0;
}
