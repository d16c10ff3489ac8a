#include "core/config/node_json.h"

namespace pganalytics::config {
namespace {

Error not_a_setting(const Origin& origin, const std::string& path, const std::string& what) {
  return Error{PGA_E_CONFIG, "config.type", origin.text() + ": " + path + ": " + what + " is not a setting",
               "Leave the key out to keep the collector's own value.", 0};
}

std::string inside(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

}  // namespace

void write_json(const Node& node, JsonWriter& json) {
  if (const auto* const table = std::get_if<Node::Table>(&node.value)) {
    json.begin_object();
    for (const auto& [key, member] : *table) {
      json.key(key);
      write_json(member, json);
    }
    json.end_object();
  } else if (const auto* const array = std::get_if<Node::Array>(&node.value)) {
    json.begin_array();
    for (const Node& element : *array) write_json(element, json);
    json.end_array();
  } else if (const auto* const text = std::get_if<std::string>(&node.value)) {
    json.value(*text);
  } else if (const auto* const flag = std::get_if<bool>(&node.value)) {
    json.value(*flag);
  } else if (const auto* const integer = std::get_if<std::int64_t>(&node.value)) {
    json.value(*integer);
  } else {
    json.value(std::get<double>(node.value));
  }
}

Expected<Node> from_json(const rapidjson::Value& value, const Origin& origin, const std::string& path) {
  if (value.IsObject()) {
    Node table = make_table(origin);
    for (const auto& member : value.GetObject()) {
      const std::string key(member.name.GetString(), member.name.GetStringLength());
      PGA_TRY(Node node, from_json(member.value, origin, inside(path, key)));
      table.set(key, std::move(node));
    }
    return table;
  }
  if (value.IsArray()) {
    Node::Array array;
    for (const auto& element : value.GetArray()) {
      PGA_TRY(Node node, from_json(element, origin, inside(path, std::to_string(array.size()))));
      array.push_back(std::move(node));
    }
    return Node{std::move(array), origin};
  }
  if (value.IsString()) return Node{std::string(value.GetString(), value.GetStringLength()), origin};
  if (value.IsBool()) return Node{value.GetBool(), origin};
  if (value.IsInt64()) return Node{value.GetInt64(), origin};
  if (value.IsDouble()) return Node{value.GetDouble(), origin};
  return not_a_setting(origin, path, value.IsNull() ? "null" : "a number of this size");
}

}  // namespace pganalytics::config
