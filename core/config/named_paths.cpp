#include "core/config/named_paths.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace pganalytics::config {
namespace {

using rapidjson::Value;

constexpr unsigned kDepthMax = 32;  // $ref may go in circles

const Value* member(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

class Walk {
 public:
  Walk(const rapidjson::Document& root, NamedPaths& found) : root_(root), found_(found) {}

  void visit(const Value& schema, const Value& value, unsigned depth) {
    if (depth > kDepthMax || !schema.IsObject()) return;
    if (const Value* const target = referred(schema)) visit(*target, value, depth + 1);
    if (const Value* const all = member(schema, "allOf"); all != nullptr && all->IsArray()) {
      for (const Value& part : all->GetArray()) visit(part, value, depth + 1);
    }
    if (value.IsString()) take(schema, value);
    if (value.IsArray()) visit_items(schema, value, depth);
    if (value.IsObject()) visit_members(schema, value, depth);
  }

 private:
  const Value* referred(const Value& schema) const {
    const Value* const reference = member(schema, "$ref");
    constexpr std::string_view kPrefix = "#/definitions/";
    if (reference == nullptr || !reference->IsString()) return nullptr;
    const std::string_view target(reference->GetString(), reference->GetStringLength());
    const Value* const definitions = member(root_, "definitions");
    if (target.substr(0, kPrefix.size()) != kPrefix || definitions == nullptr || !definitions->IsObject()) return nullptr;
    return member(*definitions, std::string(target.substr(kPrefix.size())).c_str());
  }

  void take(const Value& schema, const Value& value) {
    const Value* const format = member(schema, "format");
    if (format == nullptr || !format->IsString()) return;
    const std::string text(value.GetString(), value.GetStringLength());
    if (*format == "path-read") found_.paths.push_back(text);
    if (*format == "conninfo") {
      for (std::string& file : conninfo_files(text)) found_.files.push_back(std::move(file));
    }
  }

  void visit_items(const Value& schema, const Value& value, unsigned depth) {
    const Value* const items = member(schema, "items");
    if (items == nullptr) return;
    for (const Value& element : value.GetArray()) visit(*items, element, depth + 1);
  }

  void visit_members(const Value& schema, const Value& value, unsigned depth) {
    const Value* const properties = member(schema, "properties");
    const Value* const others = member(schema, "additionalProperties");
    for (const auto& [name, inner] : value.GetObject()) {
      const Value* const known =
          properties != nullptr && properties->IsObject() ? member(*properties, name.GetString()) : nullptr;
      const Value* const inner_schema = known != nullptr ? known : others;
      if (inner_schema != nullptr) visit(*inner_schema, inner, depth + 1);
    }
  }

  const rapidjson::Document& root_;
  NamedPaths& found_;
};

bool names_file(std::string_view keyword) {
  constexpr std::array<std::string_view, 6> kKeywords = {"sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir", "passfile"};
  return std::find(kKeywords.begin(), kKeywords.end(), keyword) != kKeywords.end();
}

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    decoded += escaped ? static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
    if (escaped) i += 2;
  }
  return decoded;
}

std::vector<std::string> uri_files(std::string_view uri) {
  std::vector<std::string> files;
  const std::size_t query = uri.find('?');
  std::string_view rest = query == std::string_view::npos ? std::string_view() : uri.substr(query + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && names_file(pair.substr(0, equals)))
      files.push_back(percent_decoded(pair.substr(equals + 1)));
  }
  return files;
}

// One value of keyword = value, bare or in quotes, with backslashes; `rest` begins with it.
std::string take_value(std::string_view& rest) {
  std::string value;
  const bool quoted = !rest.empty() && rest.front() == '\'';
  if (quoted) rest.remove_prefix(1);
  while (!rest.empty() && (quoted ? rest.front() != '\'' : !is_blank(rest.front()))) {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (quoted && !rest.empty()) rest.remove_prefix(1);
  return value;
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
}

}  // namespace

std::vector<std::string> conninfo_files(std::string_view conninfo) {
  if (conninfo.find("://") != std::string_view::npos && conninfo.substr(0, 8) == "postgres") return uri_files(conninfo);
  std::vector<std::string> files;
  for (std::string_view rest = conninfo; !rest.empty();) {
    skip_blanks(rest);
    const std::size_t length = std::min(rest.find_first_of("= \t\r\n"), rest.size());
    const std::string_view keyword = rest.substr(0, length);
    rest.remove_prefix(length);
    skip_blanks(rest);
    if (rest.empty() || rest.front() != '=') break;
    rest.remove_prefix(1);
    skip_blanks(rest);
    std::string value = take_value(rest);
    if (names_file(keyword) && !value.empty()) files.push_back(std::move(value));
  }
  return files;
}

NamedPaths named_paths(const Value& value, const schema::Schema& schema) {
  NamedPaths found;
  Walk(schema.document(), found).visit(schema.document(), value, 0);
  return found;
}

}  // namespace pganalytics::config
