// Foreign JSON text to a document, with limits: the only way JSON from outside (plugins, HTTP, files) enters the programs.
//
// RapidJSON as packaged takes duplicate keys, unbounded depth and broken UTF-8 unless told otherwise; here it is told. Numbers
// keep full precision. [any thread]
#pragma once

#include "core/schema/document_limits.h"

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::schema {

struct JsonLimits {
  std::size_t bytes = 8u << 20;
  unsigned depth = kDocumentDepth;
  std::size_t object_keys = kObjectKeys;  // per object; duplicates are refused
  std::size_t key_bytes = kKeyBytes;
};

// error.code "json.syntax", "json.depth", "json.duplicate_key", "json.limit"; the message names the byte offset.
Expected<rapidjson::Document> parse_json(std::string_view text, const JsonLimits& limits = {});

// Compact text of any value.
std::string to_text(const rapidjson::Value& value);

}  // namespace pganalytics::schema
