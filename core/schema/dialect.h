// Which keywords a plugin's schema may use, checked once when it is parsed.
#pragma once

#include "core/schema/schema.h"

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>

namespace pganalytics::schema {

// PGA_E_CONFIG naming the place in the schema and the keyword that is unknown, malformed or missing.
Outcome check_dialect(const rapidjson::Document& schema, Schema::Purpose purpose);

// The schema that `schema` stands for: follows a local "$ref" ("#/definitions/x") once; nullptr if it leads nowhere.
const rapidjson::Value* resolve(const rapidjson::Document& root, const rapidjson::Value& schema);

}  // namespace pganalytics::schema
