#include "core/server/ingest/push_request.h"

#include <algorithm>
#include <charconv>
#include <pganalytics/json.hpp>
#include <string_view>
#include <utility>

#include "core/compression/compression.h"
#include "core/crypto/digest.h"

namespace pganalytics::server::ingest {
namespace {

using http::Response;

constexpr std::size_t kSmallBytes = 64 * 1024;
constexpr std::size_t kEpochDigits = 32;
constexpr std::size_t kNameBytes = 255;
constexpr std::size_t kPartDepthMax = 20;

// What a refusal inside this file is: a finished answer.
template <class T>
using Or = std::variant<T, Response>;

bool is_epoch(std::string_view text) {
  return text.size() == kEpochDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "0", "1", "0/1": which half of which half.
bool is_part(std::string_view text) {
  if (text.size() % 2 == 0 || text.size() > 2 * kPartDepthMax - 1) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 2 == 0 ? text[i] != '0' && text[i] != '1' : text[i] != '/') return false;
  }
  return true;
}

// One digest for each time that `part` was halved, joined by "/".
bool is_lineage(std::string_view text, std::string_view part) {
  constexpr std::size_t kDigits = 64;
  if (text.size() + 1 != (part.size() + 1) / 2 * (kDigits + 1)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_joint = i % (kDigits + 1) == kDigits;
    if (is_joint ? text[i] != '/' : std::string_view("0123456789abcdef").find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

// "<epoch>.<seq>" or "<epoch>.<seq>/<part>"; "" is no key.
Or<std::optional<PushKey>> key_of_header(std::string_view text) {
  if (text.empty()) return std::optional<PushKey>();
  const std::size_t dot = text.find('.');
  PushKey key;
  key.epoch = std::string(text.substr(0, dot));
  std::string_view digits = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  const std::size_t slash = digits.find('/');
  if (slash != std::string_view::npos) {
    key.part = std::string(digits.substr(slash + 1));
    digits = digits.substr(0, slash);
  }
  std::int64_t seq = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  const bool is_number = code == std::errc{} && end == digits.data() + digits.size() && seq > 0 && digits.front() != '0';
  if (!is_epoch(key.epoch) || !is_number || (slash != std::string_view::npos && !is_part(key.part))) {
    return Response::error(400, "bad_idempotency_key",
                           "Idempotency-Key is not <32 hex digits>.<number of 1 or more>, or that with /<part>");
  }
  key.seq = static_cast<std::uint64_t>(seq);
  return std::optional<PushKey>(std::move(key));
}

// The envelope's own key, if it has one.
Or<std::optional<PushKey>> key_of_envelope(const Envelope& envelope) {
  if (envelope.bare || (!envelope.epoch && !envelope.seq && !envelope.part)) return std::optional<PushKey>();
  if (!envelope.epoch || !envelope.seq) {
    return Response::error(400, "bad_envelope", "\"epoch\" and \"seq\" go together, and \"part\" with them");
  }
  if (!is_epoch(*envelope.epoch)) return Response::error(400, "bad_envelope", "\"epoch\" is not 32 lower-case hex digits");
  if (envelope.part && !is_part(*envelope.part)) {
    return Response::error(400, "bad_envelope", "\"part\" is not halves of halves, \"0/1\", at most 20 deep");
  }
  if (envelope.of && !is_lineage(*envelope.of, envelope.part.value_or(""))) {
    return Response::error(400, "bad_envelope", "\"of\" is not one SHA-256 for each time that \"part\" was halved");
  }
  return std::optional<PushKey>(PushKey{*envelope.epoch, *envelope.seq, envelope.part.value_or("")});
}

// The key of header and envelope, which must agree where both speak.
Or<std::optional<PushKey>> key_of(const http::Request& request, const Envelope& envelope) {
  auto of_header = key_of_header(request.header("idempotency-key"));
  if (of_header.index() == 1) return of_header;
  auto of_envelope = key_of_envelope(envelope);
  if (of_envelope.index() == 1) return of_envelope;
  const auto& key = std::get<0>(of_header);
  const auto& own = std::get<0>(of_envelope);
  if (key && own && key->text() != own->text()) {
    return Response::error(400, "key_mismatch", "Idempotency-Key differs from the envelope's \"epoch\", \"seq\" and \"part\"");
  }
  return own ? of_envelope : of_header;
}

// "max_bytes" is what any body may expand to; what the ratio of this one allows would be no measure for the next.
Response inflates_too_far(std::size_t inflated_bytes, std::size_t by_ratio) {
  JsonWriter json;
  json.begin_object().key("error").begin_object().member("code", "inflated_too_large");
  json.member("message", "the body expands to more than " + std::to_string(std::min(inflated_bytes, by_ratio)) + " bytes");
  if (inflated_bytes <= by_ratio) json.member("max_bytes", inflated_bytes);
  json.end_object().end_object();
  return Response::json(413, std::string(json.text()));
}

Or<std::string> expanded(const http::Request& request, const PushLimits& limits) {
  const auto encoding = compression::parse_content_encoding(request.header("content-encoding"));
  if (!encoding) return Response::error(415, "unsupported_encoding", "Content-Encoding is none of zstd, gzip and identity");
  const std::size_t by_ratio = std::max(kSmallBytes, request.body.size() * limits.inflation_ratio);
  auto body = compression::expand(encoding.value(), request.body, std::min(limits.inflated_bytes, by_ratio));
  if (body) return std::move(body).value();
  if (body.error().status == PGA_E_LIMIT) return inflates_too_far(limits.inflated_bytes, by_ratio);
  return Response::error(400, "bad_encoding", "the body is not what its Content-Encoding says: " + body.error().message);
}

Or<Envelope> scanned(std::string_view body) {
  auto envelope = scan_envelope(body);
  if (envelope) {
    const Element* const first = envelope->elements.empty() ? nullptr : &envelope->elements.front();
    if (envelope->bare && !first->fault_code.empty()) return Response::error(400, first->fault_code, first->fault);
    return std::move(envelope).value();
  }
  const Error& error = envelope.error();
  return Response::error(error.status == PGA_E_LIMIT ? 413 : 400, error.code, error.message);
}

std::optional<Response> refusal_of_names(const Envelope& envelope, const std::string& collector_id) {
  if (envelope.bare) return std::nullopt;
  if (envelope.collector_id && *envelope.collector_id != collector_id) {
    return Response::error(403, "other_collector", "\"collector_id\" is not the collector that pushes");
  }
  for (const auto& [name, value] : {std::pair{"hostname", &envelope.hostname}, {"version", &envelope.version}}) {
    const bool is_bad = value->has_value() && ((*value)->size() > kNameBytes || (*value)->find('\0') != std::string::npos);
    if (is_bad)
      return Response::error(400, "bad_envelope", "\"" + std::string(name) + "\" is longer than 255 bytes or has a zero byte");
  }
  return std::nullopt;
}

}  // namespace

std::variant<PushRequest, Response> read_push(const std::string& collector_id, const http::Request& request,
                                              const PushLimits& limits) {
  auto body = expanded(request, limits);
  if (auto* refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  PushRequest push;
  push.body = std::make_unique<const std::string>(std::get<std::string>(std::move(body)));
  auto scan = scanned(*push.body);
  if (auto* refusal = std::get_if<Response>(&scan)) return std::move(*refusal);
  push.envelope = std::get<Envelope>(std::move(scan));
  if (auto refusal = refusal_of_names(push.envelope, collector_id)) return std::move(*refusal);
  auto key = key_of(request, push.envelope);
  if (auto* refusal = std::get_if<Response>(&key)) return std::move(*refusal);
  push.key = std::get<std::optional<PushKey>>(std::move(key));
  return push;
}

store::Push to_store(const std::string& collector_id, const PushRequest& request) {
  const Envelope& envelope = request.envelope;
  store::Push push;
  push.collector_id = collector_id;
  if (request.key) {
    push.epoch = request.key->epoch;
    push.seq = request.key->seq;
    push.part = request.key->part;
    push.of = envelope.of.value_or("");
  }
  push.digest_sha256 = crypto::sha256_hex(*request.body);
  if (!envelope.bare) {
    push.hostname = envelope.hostname.value_or("");
    push.version = envelope.version.value_or("");
  }
  std::uint32_t index = 0;
  for (const Element& element : envelope.elements) {
    if (element.fault_code.empty()) {
      push.documents.push_back({element.type, element.timestamp_unix_ns, index, element.text});
    } else {
      ++push.rejected;
    }
    ++index;
  }
  return push;
}

}  // namespace pganalytics::server::ingest
