#include "core/server/ingest/push.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <pganalytics/json.hpp>
#include <utility>
#include <variant>

#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "core/crypto/digest.h"
#include "core/log/log.h"
#include "core/server/ingest/envelope.h"

namespace pganalytics::server::ingest {
namespace {

using http::Response;

constexpr std::size_t kSmallBytes = 64 * 1024;
constexpr std::size_t kEpochDigits = 32;
constexpr std::size_t kNameBytes = 255;
constexpr std::size_t kPartDepthMax = 20;

struct Key {
  std::string epoch;
  std::uint64_t seq = 0;
  std::string part;
  [[nodiscard]] std::string text() const { return epoch + "." + std::to_string(seq) + (part.empty() ? "" : "/" + part); }
};

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

// "<epoch>.<seq>" or "<epoch>.<seq>/<part>"; "" is no key.
Or<std::optional<Key>> key_of_header(std::string_view text) {
  if (text.empty()) return std::optional<Key>();
  const std::size_t dot = text.find('.');
  Key key;
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
  return std::optional<Key>(std::move(key));
}

// The envelope's own key, if it has one.
Or<std::optional<Key>> key_of_envelope(const Envelope& envelope) {
  if (envelope.bare || (!envelope.epoch && !envelope.seq && !envelope.part)) return std::optional<Key>();
  if (!envelope.epoch || !envelope.seq) {
    return Response::error(400, "bad_envelope", "\"epoch\" and \"seq\" go together, and \"part\" with them");
  }
  if (!is_epoch(*envelope.epoch)) return Response::error(400, "bad_envelope", "\"epoch\" is not 32 lower-case hex digits");
  if (envelope.part && !is_part(*envelope.part)) {
    return Response::error(400, "bad_envelope", "\"part\" is not halves of halves, \"0/1\", at most 20 deep");
  }
  return std::optional<Key>(Key{*envelope.epoch, *envelope.seq, envelope.part.value_or("")});
}

// The key of header and envelope, which must agree where both speak.
Or<std::optional<Key>> key_of(const http::Request& request, const Envelope& envelope) {
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

store::Push to_store(const Envelope& envelope, const std::optional<Key>& key, const std::string& collector_id,
                     std::string_view body) {
  store::Push push;
  push.collector_id = collector_id;
  if (key) {
    push.epoch = key->epoch;
    push.seq = key->seq;
    push.part = key->part;
  }
  push.digest_sha256 = crypto::sha256_hex(body);
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

Response acknowledgement(const Envelope& envelope, const std::optional<Key>& key, const store::PushResult& result,
                         std::uint64_t config_version) {
  JsonWriter json;
  json.begin_object().member("status", "success");
  if (key) json.member("ack", key->text());
  json.member("metrics_count", result.accepted).member("duplicate", result.kind == store::PushResult::Kind::kDuplicate);
  json.key("rejected").begin_array();
  std::uint32_t index = 0;
  for (const Element& element : envelope.elements) {
    if (!element.fault_code.empty()) {
      json.begin_object().member("index", index).member("code", element.fault_code).member("message", element.fault).end_object();
    }
    ++index;
  }
  json.end_array().member("config_version", config_version);
  json.member("server_time", clock::format_rfc3339(clock::now_unix_ns())).end_object();
  return Response::json(200, std::string(json.text()));
}

Response failed(const Error& error) {
  if (error.status == PGA_E_DENIED) {
    Response revoked = Response::error(403, "collector_revoked", "this collector is revoked or not known any more");
    revoked.ends_connection = true;
    return revoked;
  }
  log::write(log::Level::kError, "store a push", error);
  if (error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE) {
    return Response::error(503, "database_unavailable", "the push could not be stored now");
  }
  return Response::error(500, "internal", "the push could not be stored; the server's log says why");
}

}  // namespace

Response push(store::Store& store, const std::string& collector_id, const http::Request& request, const PushLimits& limits) {
  auto body = expanded(request, limits);
  if (auto* refusal = std::get_if<Response>(&body)) return std::move(*refusal);
  const std::string& text = std::get<std::string>(body);
  auto scan = scanned(text);
  if (auto* refusal = std::get_if<Response>(&scan)) return std::move(*refusal);
  const Envelope& envelope = std::get<Envelope>(scan);
  if (auto refusal = refusal_of_names(envelope, collector_id)) return std::move(*refusal);
  auto key_or = key_of(request, envelope);
  if (auto* refusal = std::get_if<Response>(&key_or)) return std::move(*refusal);
  const auto& key = std::get<std::optional<Key>>(key_or);

  const auto result = store.push(to_store(envelope, key, collector_id, text));
  if (!result) return failed(result.error());
  switch (result.value().kind) {
    case store::PushResult::Kind::kConflict:
      return Response::error(422, "key_conflict", "this Idempotency-Key was used for other content");
    case store::PushResult::Kind::kInProgress:
      return Response::error(409, "in_progress", "this batch is being stored right now").with_header("Retry-After", "1");
    case store::PushResult::Kind::kStored:
    case store::PushResult::Kind::kDuplicate: break;
  }
  // The documents are stored, whatever becomes of this question: 0 says "not known".
  const auto config = store.config(collector_id);
  return acknowledgement(envelope, key, result.value(), config ? config.value().version : 0);
}

}  // namespace pganalytics::server::ingest
