// What the real host demands of a document, for the fake one. [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::testing {

// One JSON object in UTF-8?
Outcome check_json_object(std::string_view json);

// A JSON object with "type" == plugin_id and a "timestamp", valid against output_schema (JSON text)?
Outcome check_document(std::string_view json, std::string_view plugin_id, std::string_view output_schema);

}  // namespace pganalytics::testing
