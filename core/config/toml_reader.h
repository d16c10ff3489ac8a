// TOML to settings: the one way both programs read their files.
//
// Here: text -> Node with file and line for each key, and TableReader, typed getters that collect every problem instead of
// stopping at the first. Not here: which keys exist (collector_config.cpp and the server's own file), plugins. [any thread, one
// object at a time]
//
//   Problems problems;
//   TableReader root(file, "", problems);
//   TableReader server = root.table("server");
//   settings.listen = server.string("listen", "127.0.0.1:8443");
//   settings.idle_timeout_ms = server.duration_ms("idle_timeout", 90'000, {1'000, 3'600'000});
//   server.finish();   // whatever was not asked for is an unknown key
//   root.finish();
//   if (!problems.empty()) return problems.as_error();
#pragma once

#include "core/config/node.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::config {

// A file of at most 1 MiB. PGA_E_NOTFOUND, PGA_E_DENIED, or PGA_E_CONFIG ("config.syntax", message starts with file:line).
Expected<Node> read_toml_file(const std::string& path);
// `name` is what messages call it.
Expected<Node> parse_toml(std::string_view text, const std::string& name);

// What is wrong with a configuration, in the order it was found.
class Problems {
 public:
  void add(Error error) { errors_.push_back(std::move(error)); }
  // "<file>:<line>: <path>: <what>"
  void add(const Origin& origin, const std::string& path, const std::string& what, std::string hint, std::string code = "");

  [[nodiscard]] bool empty() const { return errors_.empty(); }
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }
  // All of them as one PGA_E_CONFIG error, a line each with its HINT below. Only when not empty.
  [[nodiscard]] Error as_error() const;

 private:
  std::vector<Error> errors_;
};

struct Range {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

// One table. A getter returns `fallback` when the key is absent or, with a problem noted, wrong.
class TableReader {
 public:
  // `table` must outlive the reader. `path` is the table's own ("" for the file).
  TableReader(const Node& table, std::string path, Problems& problems);

  std::string string(const std::string& key, std::string fallback);
  std::optional<std::string> string(const std::string& key);  // nullopt: absent or wrong
  bool boolean(const std::string& key, bool fallback);
  std::int64_t integer(const std::string& key, std::int64_t fallback, Range range = {});
  std::int64_t duration_ms(const std::string& key, std::int64_t fallback, Range range = {0});  // "90s", "5m"
  std::int64_t bytes(const std::string& key, std::int64_t fallback, Range range = {0});        // "512MiB", 4096
  std::vector<std::string> strings(const std::string& key, std::vector<std::string> fallback);
  // One of `choices`.
  std::string choice(const std::string& key, std::string fallback, const std::vector<std::string>& choices);
  // A table inside; an empty one when absent.
  TableReader table(const std::string& key);

  [[nodiscard]] bool has(const std::string& key) const { return table_->find(key) != nullptr; }
  // The member as it stands, and counted as known; nullptr if absent.
  const Node* raw(const std::string& key);
  // Where the key, or failing that the table, was written.
  [[nodiscard]] const Origin& origin(const std::string& key) const;
  [[nodiscard]] std::string path(const std::string& key) const;  // "server.listen"
  void problem(const std::string& key, const std::string& what, std::string hint);

  // Each key that no getter asked for is a problem that names the nearest one that was.
  void finish();

 private:
  template <class T>
  const T* value_of(const std::string& key, const char* wanted);
  bool within(const std::string& key, std::int64_t value, Range range, std::string (*show)(std::int64_t));

  const Node* table_;
  std::string path_;
  Problems* problems_;
  std::set<std::string> known_;
};

}  // namespace pganalytics::config
