#include "core/collector/plugin/reference_page.h"

#include "core/collector/plugin/schema_words.h"
#include "core/schema/dialect.h"
#include "core/schema/json_text.h"
#include "core/terminal/text_table.h"

#include <algorithm>
#include <deque>
#include <map>
#include <vector>

namespace pganalytics::collector {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr int kDepthMax = 16;  // of objects in objects: a schema may contain itself

// Text in a table cell.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    if (c == '<') {
      safe += "&lt;";
    } else {
      safe += c == '\n' ? ' ' : c;
    }
  }
  return terminal::printable(safe);
}

// In backticks, which a text of its own cannot end.
std::string code(std::string_view text) {
  if (text.empty()) return "";
  std::string inner(text);
  std::replace(inner.begin(), inner.end(), '`', '\'');
  std::replace(inner.begin(), inner.end(), '\n', ' ');
  std::string escaped;
  for (const char c : terminal::printable(inner)) escaped += c == '|' ? "\\|" : std::string(1, c);
  return "`" + escaped + "`";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& text : cells) line += " " + text + " |";
  return line + "\n";
}

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.' && text.back() != '?' && text.back() != '!') text += '.';
  return text;
}

// Keys -------------------------------------------------------------------------------------------------------------------------

std::string key_description(const Value& schema) {
  std::string text = sentence(text_member(schema, "description"));
  const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : " ") + more; };
  if (const std::string bounds = bounds_words(schema); !bounds.empty()) add(sentence("Takes " + bounds));
  const Value* const secret = find_member(schema, "x-secret");
  if (secret != nullptr && secret->IsBool() && secret->GetBool()) add("A secret: `{ \"$secret\" = \"name\" }`.");
  const Value* const deprecated = find_member(schema, "x-deprecated");
  if (deprecated != nullptr && deprecated->IsBool() && deprecated->GetBool()) add("Deprecated.");
  if (text_member(schema, "x-reload") == "restart") add("A change restarts the plugin.");
  return text;
}

// Fields -----------------------------------------------------------------------------------------------------------------------

// An array of objects that gets a table of its own.
struct List {
  std::string path, family;
  const Value* element;
};

class FieldTables {
 public:
  explicit FieldTables(const Document& root) : root_(root) {}

  std::string text() {
    std::string text = table(root_, "");
    while (!lists_.empty()) {
      const List list = lists_.front();
      lists_.pop_front();
      text += "\n### Each of " + code(list.path);
      if (!list.family.empty()) text += ": family " + code(list.family);
      // A definition that two lists share, or that contains itself, is told once.
      const auto [first, is_first] = told_.emplace(list.element, list.path);
      text += "\n\n" + (is_first ? table(*list.element, list.path + ".") : "The same fields as " + code(first->second) + ".\n");
    }
    return text;
  }

 private:
  // The columns beside the five that each table has: those of which one of its fields has something to say.
  struct Table {
    std::vector<std::vector<std::string>> rows;
    bool sources = false, versions = false;

    [[nodiscard]] std::string text() const {
      std::string all = line({"field", "type", "kind", "unit", "since", "meaning", "source"});
      all += line(std::vector<std::string>(7, "---"));
      for (const auto& cells : rows) all += line(cells);
      return all;
    }

   private:
    [[nodiscard]] std::string line(const std::vector<std::string>& cells) const {
      std::vector<std::string> shown(cells.begin(), cells.begin() + 4);
      if (versions) shown.push_back(cells[4]);
      shown.push_back(cells[5]);
      if (sources) shown.push_back(cells[6]);
      return row(shown);
    }
  };

  std::string table(const Value& object, const std::string& place) {
    Table table;
    rows(object, "", place, 0, table);
    return table.text();
  }

  // `prefix`: of the names in this table; `place`: of this table's object in the document.
  void rows(const Value& object, const std::string& prefix, const std::string& place, int depth, Table& table) {
    const Value* const properties = find_member(object, "properties");
    if (properties == nullptr || depth > kDepthMax) return;
    for (const auto& property : properties->GetObject()) {
      const Value* const schema = schema::resolve(root_, property.value);
      if (schema == nullptr) continue;
      const std::string name(property.name.GetString(), property.name.GetStringLength());
      field(object, *schema, name, prefix, place, depth, table);
    }
  }

  void field(const Value& object, const Value& schema, const std::string& name, const std::string& prefix,
             const std::string& place, int depth, Table& table) {
    const std::string path = prefix + name;
    const bool optional = !is_required(object, name);
    const std::string since = text_member(schema, "x-since"), source = text_member(schema, "x-source");
    table.versions |= !since.empty();
    table.sources |= !source.empty();
    table.rows.push_back({code(path), cell(type_words(root_, schema)) + (optional ? ", optional" : ""),
                          cell(text_member(schema, "x-kind")), code(unit_of("", schema)), cell(since),
                          cell(text_member(schema, "description")), code(source)});
    rows(schema, path + ".", place, depth + 1, table);
    const Value* const items = find_member(schema, "items");
    const Value* const element = items == nullptr ? nullptr : schema::resolve(root_, *items);
    if (element == nullptr || find_member(*element, "properties") == nullptr) return;
    std::string family = text_member(schema, "x-family");
    if (family.empty()) family = text_member(*element, "x-family");
    lists_.push_back({place + path + "[]", family, element});
  }

  const Document& root_;
  std::deque<List> lists_;
  std::map<const Value*, std::string> told_;  // elements, and the first list of each
};

std::string facts_markdown(const host::PluginInfo& plugin) {
  std::string aliases;
  for (const std::string& alias : plugin.aliases) aliases += (aliases.empty() ? "" : ", ") + code(alias);
  std::string text = "# " + cell(plugin.id) + "\n\n" + sentence(cell(plugin.description)) + "\n\n| | |\n|---|---|\n";
  text += row({"version", cell(plugin.version)}) + row({"vendor", cell(plugin.vendor)}) + row({"license", cell(plugin.license)});
  if (!plugin.url.empty()) text += row({"home", cell(plugin.url)});
  if (!aliases.empty()) text += row({"also called", aliases});
  text += row({"needs", needs_words(plugin.needs)});
  if (plugin.default_interval_ms > 0) text += row({"interval", code(duration_words(plugin.default_interval_ms))});
  if (plugin.default_timeout_ms > 0) text += row({"timeout", code(duration_words(plugin.default_timeout_ms))});
  return text;
}

}  // namespace

std::string keys_markdown(const Document& config_schema) {
  const Value* const properties = find_member(config_schema, "properties");
  if (properties == nullptr || properties->ObjectEmpty()) return "It has no keys of its own.\n";
  std::string text = "| key | type | default | unit | meaning |\n|---|---|---|---|---|\n";
  for (const auto& property : properties->GetObject()) {
    const Value* const schema = schema::resolve(config_schema, property.value);
    if (schema == nullptr) continue;
    const std::string name(property.name.GetString(), property.name.GetStringLength());
    const Value* const fallback = find_member(*schema, "default");
    const std::string otherwise = is_required(config_schema, name) ? "required" : "none";
    text += row({code(name), cell(type_words(config_schema, *schema)),
                 fallback == nullptr ? otherwise : code(schema::to_text(*fallback)), code(unit_of(name, *schema)),
                 cell(key_description(*schema))});
  }
  return text;
}

std::string fields_markdown(const Document& output_schema) { return FieldTables(output_schema).text(); }

Expected<std::string> page_markdown(const host::PluginInfo& plugin) {
  PGA_TRY(const Document config, schema::parse_json(plugin.config_schema));
  PGA_TRY(const Document output, schema::parse_json(plugin.output_schema));
  std::string text = facts_markdown(plugin);
  text += "\n## Configuration\n\nKeys of `[plugins." + plugin.id +
          "]`, beside those that every plugin has (docs/CONFIGURATION.md).\n\n" + keys_markdown(config);
  return text + "\n## Documents\n\n" + fields_markdown(output);
}

}  // namespace pganalytics::collector
