#include "core/config/node.h"

#include <algorithm>

namespace pganalytics::config {

std::string Origin::text() const {
  if (!source) return "";
  return line == 0 ? *source : *source + ":" + std::to_string(line);
}

const Node* Node::find(std::string_view key) const {
  const auto* const table = std::get_if<Table>(&value);
  if (table == nullptr) return nullptr;
  const auto found = std::find_if(table->begin(), table->end(), [&](const Member& member) { return member.key == key; });
  return found == table->end() ? nullptr : &found->node;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

Node& Node::set(std::string key, Node node) {
  if (Node* const present = find(key)) return *present = std::move(node);
  return std::get<Table>(value).emplace_back(Member{std::move(key), std::move(node)}).node;
}

const char* Node::kind() const {
  constexpr const char* kKinds[] = {"true or false", "an integer", "a number", "a string", "an array", "a table"};
  return kKinds[value.index()];
}

Node make_table(Origin origin) { return Node{Node::Table{}, std::move(origin)}; }

void overlay(Node& base, Node over) {
  if (!base.is_table() || !over.is_table()) {
    base = std::move(over);
    return;
  }
  for (auto& [key, node] : std::get<Node::Table>(over.value)) {
    if (Node* const present = base.find(key)) {
      overlay(*present, std::move(node));
    } else {
      base.set(key, std::move(node));
    }
  }
}

}  // namespace pganalytics::config
