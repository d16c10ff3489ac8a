// What a schema says of one value, in words: for the reference page and the example of a plugin.
//
// Schemas come from plugins; the dialect check has passed them, but their texts may be anything. Pure functions. [any thread]
#pragma once

#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <string_view>

namespace pganalytics::collector {

// The string member `key`; "": none.
std::string text_member(const rapidjson::Value& schema, const char* key);
// The member `key`; nullptr: none.
const rapidjson::Value* find_member(const rapidjson::Value& schema, const char* key);

// "integer or null", "array of string", "duration", "one of `a`, `b`".
std::string type_words(const rapidjson::Document& root, const rapidjson::Value& schema);
// "1 to 100", "at least 1", "at most 64 elements"; "": no bounds.
std::string bounds_words(const rapidjson::Value& schema);
// x-unit, else what the name ends in says: "_ms" is "ms". "": none.
std::string unit_of(std::string_view name, const rapidjson::Value& schema);
bool is_required(const rapidjson::Value& object_schema, std::string_view name);

// "60s", "5m", "250ms": as a configuration has it.
std::string duration_words(std::int64_t ms);

// PGA_NEED_* in words; "nothing".
std::string needs_words(std::uint32_t needs);

}  // namespace pganalytics::collector
