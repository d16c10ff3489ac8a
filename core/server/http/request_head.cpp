#include "core/server/http/request_head.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/server/http/target.h"

namespace pganalytics::server::http {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Fields of which two would let two readers choose differently.
constexpr std::array<std::string_view, 9> kSingle = {
    "authorization", "content-encoding", "content-length",    "content-type",         "expect",
    "host",          "idempotency-key",  "transfer-encoding", "x-registration-secret"};

HeadRefusal malformed(std::string_view code, std::string_view message) {
  return {Response::error(400, code, message), Refusal::kMalformed};
}

HeadRefusal target_too_long(const Limits& limits) {
  return {Response::error(414, "target_too_long",
                          "the request target is longer than " + std::to_string(limits.target_bytes) + " bytes"),
          Refusal::kTargetTooLong};
}

const char* fault_at(std::string_view bytes, std::size_t at) {
  const char c = bytes[at];
  const char before = at == 0 ? '\0' : bytes[at - 1];
  if (c == '\n') return before == '\r' ? nullptr : "a line feed without carriage return";
  if (before == '\r') return "a carriage return without line feed";
  if (before == '\n' && (c == ' ' || c == '\t')) return "a folded header field";
  if (c == '\r') return at == 0 ? "an empty line where a request should begin" : nullptr;
  if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return "a control character in the header";
  return nullptr;
}

std::optional<HeadRefusal> take_fields(const Parser::value_type& head, const Limits& limits, Request& request) {
  std::size_t fields = 0;
  for (const auto& field : head) {
    if (++fields > limits.header_fields) {
      return HeadRefusal{
          Response::error(431, "headers_too_many", "more than " + std::to_string(limits.header_fields) + " header fields"),
          Refusal::kHeaderTooLarge};
    }
    auto [place, is_new] = request.headers.try_emplace(lower(view(field.name_string())), view(field.value()));
    if (is_new) continue;
    if (std::find(kSingle.begin(), kSingle.end(), place->first) != kSingle.end()) {
      return malformed(place->first == "host" ? "bad_host" : "repeated_field", "the field " + place->first + " is there twice");
    }
    place->second.append(", ").append(view(field.value()));
  }
  return std::nullopt;
}

std::optional<HeadRefusal> refusal_of_framing(const Request& request, unsigned version) {
  const auto length = request.headers.find("content-length");
  const auto coding = request.headers.find("transfer-encoding");
  if (length != request.headers.end()) {
    const bool is_number = !length->second.empty() && length->second.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number) return malformed("bad_content_length", "Content-Length is not a number");
  }
  if (coding == request.headers.end()) return std::nullopt;
  if (length != request.headers.end()) return malformed("bad_request", "Content-Length and Transfer-Encoding exclude each other");
  if (version < 11) return malformed("bad_transfer_encoding", "HTTP/1.0 has no Transfer-Encoding");
  if (lower(coding->second) != "chunked") return malformed("bad_transfer_encoding", "the only transfer coding is chunked");
  return std::nullopt;
}

std::optional<HeadRefusal> refusal_of_fields(const Parser::value_type& head, const Request& request) {
  if (head.version() == 11 && request.header("host").empty()) {
    return malformed("bad_host", "a request has exactly one Host field");
  }
  if (auto refusal = refusal_of_framing(request, head.version())) return refusal;
  if (!request.header("expect").empty() && lower(request.header("expect")) != "100-continue") {
    return HeadRefusal{Response::error(417, "bad_expectation", "the only expectation is 100-continue"), Refusal::kMalformed};
  }
  return std::nullopt;
}

}  // namespace

HeadScan scan_head(std::string_view bytes, std::size_t seen) {
  for (std::size_t at = seen; at < bytes.size(); ++at) {
    if (const char* const fault = fault_at(bytes, at)) return {HeadScan::State::kRefused, at, fault};
    const bool ends = bytes[at] == '\n' && at >= 3 && bytes.compare(at - 3, 4, "\r\n\r\n") == 0;
    if (ends) return {HeadScan::State::kWhole, at + 1, ""};
  }
  return {};
}

HeadRefusal refusal_of_scan(const HeadScan& scan, std::string_view bytes, const Limits& limits) {
  if (scan.state == HeadScan::State::kRefused) {
    return malformed("bad_request", std::string("the request is not well-formed HTTP/1.1: ") + scan.fault);
  }
  if (bytes.find('\n') == std::string_view::npos) return target_too_long(limits);
  return {
      Response::error(431, "headers_too_large", "the header is larger than " + std::to_string(limits.header_bytes) + " bytes"),
      Refusal::kHeaderTooLarge};
}

HeadRefusal refusal_of_parsing(const boost::system::error_code& failure) {
  using beast::http::error;
  if (failure == error::body_limit) {
    return {Response::error(413, "body_too_large", "the body is too large for this route"), Refusal::kBodyTooLarge};
  }
  if (failure == error::header_limit || failure == error::buffer_overflow) {
    return {Response::error(431, "headers_too_large", "the body's chunk lines or trailer are too large"),
            Refusal::kHeaderTooLarge};
  }
  return malformed("bad_request", "the request is not well-formed HTTP/1.1: " + failure.message());
}

std::optional<HeadRefusal> read_head(const Parser::value_type& head, const Limits& limits, Request& request) {
  const auto target_text = view(head.target());
  request.method = std::string(view(head.method_string()));
  if (target_text.size() > limits.target_bytes) return target_too_long(limits);
  if (auto refusal = take_fields(head, limits, request)) return refusal;
  auto target = parse_target(target_text);
  if (!target) return malformed("bad_target", target.error().message);
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  return refusal_of_fields(head, request);
}

}  // namespace pganalytics::server::http
