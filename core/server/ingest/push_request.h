// A push as it was asked for: from the HTTP request to what the store will be given, or the answer that refuses it.
//
// Expanded within limits, taken apart, its names and its key checked, in this order. Not here: who may push (core/server/api),
// what the store makes of it (push.h). Pure. [any thread]
#pragma once

#include "core/server/http/message.h"
#include "core/server/ingest/envelope.h"
#include "core/server/store/store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace pganalytics::server::ingest {

struct PushLimits {
  std::size_t inflated_bytes = 8u << 20;
  // A body may grow to this many times its size; small ones (64 KiB expanded) in any ratio. Tables of idle counters shrink 60
  // times and more, bombs a thousand times.
  std::size_t inflation_ratio = 200;
};

// Which batch a push is: what makes it happen once.
struct PushKey {
  std::string epoch;  // 32 hex digits
  std::uint64_t seq = 0;
  std::string part;  // "" or halves of halves: "0/1"
  [[nodiscard]] std::string text() const { return epoch + "." + std::to_string(seq) + (part.empty() ? "" : "/" + part); }
};

struct PushRequest {
  std::unique_ptr<const std::string> body;  // expanded; the envelope's elements lie in it
  Envelope envelope;
  std::optional<PushKey> key;
};

// The refusals are those of push() that need no store: 400, 403, 413, 415.
std::variant<PushRequest, http::Response> read_push(const std::string& collector_id, const http::Request& request,
                                                    const PushLimits& limits);

// Its documents, but the rejected ones; they are borrowed from `request`.
store::Push to_store(const std::string& collector_id, const PushRequest& request);

}  // namespace pganalytics::server::ingest
