// A configuration as a tree of values that remember where each was written.
//
// Here: the values, their origins, laying one tree over another. Not here: TOML (toml_reader.h), what keys mean
// (collector_config.h and the server's own file). Value type; no thread affinity.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pganalytics::config {

// Where a value was written: a file and its line, or something without lines ("environment variable PGANALYTICS_NAME").
struct Origin {
  std::shared_ptr<const std::string> source;
  std::size_t line = 0;  // 0: the source has no lines

  [[nodiscard]] std::string text() const;  // "/etc/pganalytics/pganalytics.toml:4"
};

struct Node {
  struct Member;
  using Array = std::vector<Node>;
  using Table = std::vector<Member>;  // in the order of the file

  std::variant<bool, std::int64_t, double, std::string, Array, Table> value;
  Origin origin;

  [[nodiscard]] bool is_table() const { return std::holds_alternative<Table>(value); }
  // The member `key` of a table; nullptr if there is none or this is no table.
  [[nodiscard]] const Node* find(std::string_view key) const;
  [[nodiscard]] Node* find(std::string_view key);
  // Set member `key` of a table, replacing what it held. Only for tables.
  Node& set(std::string key, Node node);
  // "a string", "an integer", ...: for messages.
  [[nodiscard]] const char* kind() const;
};

struct Node::Member {
  std::string key;
  Node node;
};

Node make_table(Origin origin);

// Lay `over` over `base`: tables are merged member by member, anything else is replaced with its origin.
void overlay(Node& base, Node over);

}  // namespace pganalytics::config
