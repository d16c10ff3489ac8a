// The expanded body of a push, taken apart: an envelope {"collector_id", "hostname", "version", "epoch", "seq", "schemas",
// "part", "of", "metrics": [...]} or one bare document.
//
// Documents are cut out of the text as they came: nothing is parsed into numbers and written again, so 64-bit integers and long
// decimals keep the value they had. One pass, without recursion. What is wrong with one document is that document's fault; what
// is wrong with the JSON or the envelope is everybody's. Not here: compression, storing. [any thread]
#pragma once

#include "core/schema/document_limits.h"

#include <cstdint>
#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::ingest {

struct EnvelopeLimits {
  // A document beyond these is refused.
  std::size_t document_bytes = schema::kDocumentBytes;
  unsigned document_depth = schema::kDocumentDepth;
  std::size_t keys_per_object = schema::kObjectKeys, key_bytes = schema::kKeyBytes;
  // A body beyond this is; PGA_E_LIMIT for too many documents.
  unsigned body_depth = 512;
  std::size_t documents = 5'000;
};

// One element of "metrics", or the bare document.
struct Element {
  std::string_view text;  // of the scanned body; empty if it is not an object
  std::string type;       // plugin id, aliases resolved
  std::int64_t timestamp_unix_ns = 0;
  std::string fault_code, fault;  // why it is refused; empty: it is good
};

struct Envelope {
  bool bare = false;
  std::optional<std::string> collector_id, hostname, version, epoch, part, of;
  std::optional<std::uint64_t> seq;
  std::map<std::string, std::string> schemas;  // by plugin id, aliases resolved: the SHA-256, in hex, of its output schema's text
  std::vector<Element> elements;
};

// PGA_E_CONFIG: not JSON, not an object, or an envelope whose own members are wrong; PGA_E_LIMIT: too many documents. Other
// members of the envelope are skipped: a newer collector may have more to say.
Expected<Envelope> scan_envelope(std::string_view body, const EnvelopeLimits& limits = {});

}  // namespace pganalytics::server::ingest
