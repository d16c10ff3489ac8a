// Is what a plugin emitted a document? The last check before it is stored and sent. [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string_view>

#include "core/schema/schema.h"

namespace pganalytics::host {

// A JSON object with "type" == plugin_id and an RFC 3339 "timestamp", valid against its output schema. Codes
// "document.malformed", "document.type", "document.timestamp", "document.schema".
Outcome check_document(std::string_view json, std::string_view plugin_id, const schema::Schema& output_schema);

}  // namespace pganalytics::host
