// Settings trees and JSON, both ways: plugins take their configuration as JSON, and the server hands it out as JSON.
#pragma once

#include "core/config/node.h"

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <pganalytics/json.hpp>

namespace pganalytics::config {

void write_json(const Node& node, JsonWriter& json);

// `path` is the value's own, for messages. PGA_E_CONFIG for null and for integers beyond 64 bits with sign: no setting is that.
Expected<Node> from_json(const rapidjson::Value& value, const Origin& origin, const std::string& path);

}  // namespace pganalytics::config
