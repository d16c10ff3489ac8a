// Lists as statements take them: ids as an array, label matches as objects of a JSON array. Private to this folder.
#pragma once

#include "core/server/store/series.h"

#include <cstdint>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::store {

inline std::string array_of(const std::vector<std::int64_t>& ids) {
  std::string text = "{";
  for (const std::int64_t id : ids) text += (text.size() == 1 ? "" : ",") + std::to_string(id);
  return text + "}";
}

constexpr std::string_view operator_of(LabelMatch::Is is) {
  switch (is) {
    case LabelMatch::Is::kEqual: return "=";
    case LabelMatch::Is::kNotEqual: return "!=";
    case LabelMatch::Is::kLike: return "~";
    case LabelMatch::Is::kNotLike: break;
  }
  return "!~";
}

inline void write_members(JsonWriter& json, const LabelMatch& match) {
  json.member("position", match.position).member("op", operator_of(match.is)).member("value", match.value);
}

}  // namespace pganalytics::server::store
