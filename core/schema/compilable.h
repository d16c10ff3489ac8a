// Whether RapidJSON may be given a plugin's schema: its compiler and validator would follow a circle of references until the
// stack is full, and they read whatever looks like a schema, data included.
#pragma once

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>

namespace pganalytics::schema {

// PGA_E_CONFIG unless, anywhere in it, each "$ref" is "#/definitions/NAME", is there, and never leads back to itself; each
// "pattern" is one (pattern.h); and the schema is not too large once all references are followed.
Outcome check_compilable(const rapidjson::Document& schema);

}  // namespace pganalytics::schema
