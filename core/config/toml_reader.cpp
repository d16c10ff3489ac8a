#include "core/config/toml_reader.h"

#include "core/files/files.h"
#include "core/schema/schema.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <cmath>

namespace pganalytics::config {
namespace {

using Source = std::shared_ptr<const std::string>;

Error problem_at(const Origin& origin, const std::string& path, const std::string& what, std::string hint, std::string code) {
  std::string message = origin.text();
  if (!message.empty()) message += ": ";
  if (!path.empty()) message += path + ": ";
  return Error{PGA_E_CONFIG, std::move(code), message + what, std::move(hint), 0};
}

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

Expected<Node> convert(const toml::node& node, const Source& source, const std::string& path);

Expected<Node> convert_table(const toml::table& table, const Source& source, const std::string& path) {
  Node result = make_table({source, table.source().begin.line});
  for (const auto& [key, member] : table) {
    PGA_TRY(Node node, convert(member, source, joined(path, key.str())));
    // A key's line is what an operator looks for; a [table]'s node may begin elsewhere.
    node.origin.line = key.source().begin.line != 0 ? key.source().begin.line : node.origin.line;
    result.set(std::string(key.str()), std::move(node));
  }
  return result;
}

Expected<Node> convert_array(const toml::array& array, const Source& source, const std::string& path) {
  Node result{Node::Array{}, {source, array.source().begin.line}};
  for (const auto& element : array) {
    PGA_TRY(Node node, convert(element, source, joined(path, std::to_string(std::get<Node::Array>(result.value).size()))));
    std::get<Node::Array>(result.value).push_back(std::move(node));
  }
  return result;
}

Expected<Node> convert(const toml::node& node, const Source& source, const std::string& path) {
  const Origin origin{source, node.source().begin.line};
  if (const auto* const table = node.as_table()) return convert_table(*table, source, path);
  if (const auto* const array = node.as_array()) return convert_array(*array, source, path);
  if (const auto* const text = node.as_string()) return Node{text->get(), origin};
  if (const auto* const flag = node.as_boolean()) return Node{flag->get(), origin};
  if (const auto* const integer = node.as_integer()) return Node{integer->get(), origin};
  if (const auto* const number = node.as_floating_point()) {
    if (std::isfinite(number->get())) return Node{number->get(), origin};
    return problem_at(origin, path, "not a finite number", "Give a finite number.", "config.type");
  }
  return problem_at(origin, path, "dates and times are not used here", "Put the value between quotes.", "config.type");
}

std::string show_number(std::int64_t value) { return std::to_string(value); }

std::string show_bytes(std::int64_t value) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {{1LL << 30, "GiB"}, {1LL << 20, "MiB"}, {1LL << 10, "KiB"}};
  for (const auto& [size, name] : kUnits) {
    if (value >= size && value % size == 0) return std::to_string(value / size) + name;
  }
  return std::to_string(value) + "B";
}

std::string show_duration(std::int64_t value) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}};
  for (const auto& [size, name] : kUnits) {
    if (value >= size && value % size == 0) return std::to_string(value / size) + name;
  }
  return std::to_string(value) + "ms";
}

}  // namespace

Expected<Node> parse_toml(std::string_view text, const std::string& name) {
  const auto source = std::make_shared<const std::string>(name);
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return problem_at({source, error.source().begin.line}, "", "not valid TOML: " + std::string(error.description()),
                      "Mend that line; strings stand between double quotes.", "config.syntax");
  }
  return convert_table(parsed.table(), source, "");
}

Expected<Node> read_toml_file(const std::string& path) {
  auto text = files::read(path);
  if (!text) return std::move(text).error().while_doing("unable to read the configuration");
  return parse_toml(*text, path);
}

void Problems::add(const Origin& origin, const std::string& path, const std::string& what, std::string hint, std::string code) {
  add(problem_at(origin, path, what, std::move(hint), code.empty() ? "config.value" : std::move(code)));
}

Error Problems::as_error() const {
  Error all = errors_.back();
  std::string earlier;
  for (std::size_t i = 0; i + 1 < errors_.size(); ++i) {
    earlier += errors_[i].message + "\n";
    if (!errors_[i].hint.empty()) earlier += "HINT: " + errors_[i].hint + "\n";
  }
  all.status = PGA_E_CONFIG;
  all.code = errors_.front().code;
  all.message = earlier + all.message;
  return all;
}

TableReader::TableReader(const Node& table, std::string path, Problems& problems)
    : table_(&table), path_(std::move(path)), problems_(&problems) {}

const Node* TableReader::raw(const std::string& key) {
  known_.insert(key);
  return table_->find(key);
}

const Origin& TableReader::origin(const std::string& key) const {
  const Node* const node = table_->find(key);
  return node != nullptr ? node->origin : table_->origin;
}

std::string TableReader::path(const std::string& key) const { return joined(path_, key); }

void TableReader::problem(const std::string& key, const std::string& what, std::string hint) {
  problems_->add(origin(key), path(key), what, std::move(hint));
}

template <class T>
const T* TableReader::value_of(const std::string& key, const char* wanted) {
  const Node* const node = raw(key);
  if (node == nullptr) return nullptr;
  const T* const value = std::get_if<T>(&node->value);
  if (value == nullptr) {
    problems_->add(node->origin, path(key), std::string("expected ") + wanted + ", found " + node->kind(),
                   std::string("Give ") + wanted + ".", "config.type");
  }
  return value;
}

bool TableReader::within(const std::string& key, std::int64_t value, Range range, std::string (*show)(std::int64_t)) {
  if (value >= range.min && value <= range.max) return true;
  const bool bounded = range.max != std::numeric_limits<std::int64_t>::max();
  problem(key, show(value) + " is out of range",
          bounded ? "Give a value from " + show(range.min) + " to " + show(range.max) + "."
                  : "Give a value of at least " + show(range.min) + ".");
  return false;
}

std::optional<std::string> TableReader::string(const std::string& key) {
  const auto* const value = value_of<std::string>(key, "a string");
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::string TableReader::string(const std::string& key, std::string fallback) {
  return string(key).value_or(std::move(fallback));
}

bool TableReader::boolean(const std::string& key, bool fallback) {
  const bool* const value = value_of<bool>(key, "true or false");
  return value == nullptr ? fallback : *value;
}

std::int64_t TableReader::integer(const std::string& key, std::int64_t fallback, Range range) {
  const auto* const value = value_of<std::int64_t>(key, "an integer");
  return value != nullptr && within(key, *value, range, show_number) ? *value : fallback;
}

std::int64_t TableReader::duration_ms(const std::string& key, std::int64_t fallback, Range range) {
  const auto* const text = value_of<std::string>(key, "a duration with its unit, such as \"30s\" or \"5m\"");
  if (text == nullptr) return fallback;
  auto value = schema::parse_duration_ms(*text);
  if (!value) {
    problem(key, value.error().message, "Give a duration with its unit, such as \"30s\" or \"5m\".");
    return fallback;
  }
  return within(key, *value, range, show_duration) ? *value : fallback;
}

std::int64_t TableReader::bytes(const std::string& key, std::int64_t fallback, Range range) {
  const Node* const node = raw(key);
  if (node != nullptr && std::holds_alternative<std::int64_t>(node->value)) return integer(key, fallback, range);
  const auto* const text = value_of<std::string>(key, "a size, such as \"512MiB\"");
  if (text == nullptr) return fallback;
  auto value = schema::parse_bytes(*text);
  if (!value) {
    problem(key, value.error().message, "Give a size with its unit, such as \"512MiB\" or \"1GiB\".");
    return fallback;
  }
  return within(key, *value, range, show_bytes) ? *value : fallback;
}

std::vector<std::string> TableReader::strings(const std::string& key, std::vector<std::string> fallback) {
  const auto* const array = value_of<Node::Array>(key, "an array of strings");
  if (array == nullptr) return fallback;
  std::vector<std::string> result;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* const text = std::get_if<std::string>(&(*array)[i].value);
    if (text == nullptr) {
      problems_->add((*array)[i].origin, path(key) + "." + std::to_string(i),
                     std::string("expected a string, found ") + (*array)[i].kind(), "Give an array of strings.", "config.type");
      return fallback;
    }
    result.push_back(*text);
  }
  return result;
}

std::string TableReader::choice(const std::string& key, std::string fallback, const std::vector<std::string>& choices) {
  const auto* const value = value_of<std::string>(key, "a string");
  if (value == nullptr) return fallback;
  std::string list;
  for (const std::string& choice : choices) {
    if (choice == *value) return choice;
    list += (list.empty() ? "\"" : ", \"") + choice + "\"";
  }
  problem(key, "'" + *value + "' is not one of its values", "Give one of " + list + ".");
  return fallback;
}

TableReader TableReader::table(const std::string& key) {
  static const Node kEmpty = make_table({});
  const Node* const node = raw(key);
  if (node != nullptr && !node->is_table()) {
    problems_->add(node->origin, path(key), std::string("expected a table, found ") + node->kind(),
                   "Write it as [" + path(key) + "] with its keys below.", "config.type");
    return {kEmpty, path(key), *problems_};
  }
  return {node != nullptr ? *node : kEmpty, path(key), *problems_};
}

void TableReader::finish() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& [key, node] : std::get<Node::Table>(table_->value)) {
    if (known_.count(key) != 0) continue;
    const std::string near = schema::nearest(key, known);
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    problems_->add(node.origin, path(key), "unknown key",
                   near.empty() ? "Known keys here are " + list + "." : "Did you mean '" + near + "'?", "config.unknown_key");
  }
}

}  // namespace pganalytics::config
