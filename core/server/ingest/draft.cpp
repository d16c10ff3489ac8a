#include "core/server/ingest/draft.h"

#include "core/clock/clock.h"
#include "core/server/ingest/plugin_id.h"

namespace pganalytics::server::ingest {

Element judge(Draft draft, std::string_view body, const EnvelopeLimits& limits) {
  Element element;
  if (draft.is_object && draft.end - draft.begin > limits.document_bytes) {
    draft.blame("too_large", "the document is larger than " + std::to_string(limits.document_bytes) + " bytes");
  }
  if (!draft.is_object) draft.blame("not_an_object", "a document is a JSON object");
  if (!draft.has_type) draft.blame("type_missing", "the document has no \"type\"");
  if (!draft.type || !is_plugin_id(*draft.type)) {
    draft.blame("type_invalid", "\"type\" is not a string of the form [a-z][a-z0-9_]{1,31}");
  }
  if (!draft.has_timestamp) draft.blame("timestamp_missing", "the document has no \"timestamp\"");
  const auto time = draft.timestamp ? clock::parse_rfc3339(*draft.timestamp) : std::nullopt;
  if (!time) draft.blame("timestamp_invalid", "\"timestamp\" is not an RFC 3339 date-time");
  if (draft.is_object) element.text = body.substr(draft.begin, draft.end - draft.begin);
  if (draft.type) element.type = canonical_plugin_id(*draft.type);
  element.timestamp_unix_ns = time.value_or(0);
  element.fault_code = std::move(draft.fault_code);
  element.fault = std::move(draft.fault);
  return element;
}

}  // namespace pganalytics::server::ingest
