// The push envelope: the bytes that one batch travels as.
//
// Private to core/spool. Not here: compression, storage. Pure functions. [any thread]
#pragma once

#include "core/spool/batch.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::spool {

// Who sends: the members of the envelope beside the documents.
struct Sender {
  std::string collector_id, hostname, version;
  BatchKey key;              // of a whole batch
  std::string schemas = {};  // {"<type>":"<SHA-256 of its output schema>"}, as text; "": not told
};

// That text for documents of one type.
std::string schemas_text(const std::string& type, const std::string& schema_sha256);

// {"collector_id","hostname","version","epoch","seq","schemas","metrics":[documents]}; documents are JSON objects already.
std::string make_envelope(const Sender& sender, const std::vector<std::string_view>& documents);
// The same around the text of a whole metrics array.
std::string wrap_metrics(const Sender& sender, std::string_view metrics);
// The text of the metrics array of an envelope made here, byte for byte.
Expected<std::string_view> metrics_of(std::string_view envelope);
// The text of its schemas; "" if it has none.
std::string_view schemas_of(std::string_view envelope);
// A part of such an envelope, or of a part of one: the same words before the documents, then "part", then "of": the SHA-256 of
// the whole batch, of its half, and so on to `envelope`, joined by "/". With it the server tells a part of what it has from other
// documents under the same number. Whoever halves, and when, the part is the same.
Expected<std::string> part_of(std::string_view envelope, const std::string& part, std::string_view metrics);
// The documents of such an array, byte for byte.
std::vector<std::string_view> documents_of(std::string_view metrics);

// The document's own top-level "timestamp"; nullopt when it has none that parses.
std::optional<std::int64_t> timestamp_of(std::string_view document);
// Earliest and latest of the documents' timestamps; `fallback` stands for one that is missing.
std::pair<std::int64_t, std::int64_t> time_span(const std::vector<std::string_view>& documents, std::int64_t fallback_unix_ns);

}  // namespace pganalytics::spool
