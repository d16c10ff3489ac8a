#include "core/collector/plugin/config_example.h"

#include "core/collector/plugin/schema_words.h"
#include "core/schema/dialect.h"
#include "core/schema/json_text.h"
#include "core/schema/schema.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace pganalytics::collector {
namespace {

using rapidjson::Document;
using rapidjson::Value;

constexpr std::size_t kWidth = 110;
constexpr int kDepthMax = 8;
constexpr std::int64_t kIntervalMs = 60'000, kTimeoutMs = 30'000;  // of a plugin that names none

bool is_bare_key(std::string_view key) {
  constexpr std::string_view kBare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !key.empty() && key.find_first_not_of(kBare) == std::string_view::npos;
}

// JSON's string escapes are among TOML's.
std::string quoted(std::string_view text) {
  Document holder;
  return schema::to_text(Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), holder.GetAllocator()));
}

std::string key_text(std::string_view key) { return is_bare_key(key) ? std::string(key) : quoted(key); }

// Lines of prose behind "# ", whatever the text has in it.
std::string prose(const std::string& text) {
  std::istringstream words(text);
  std::string lines, line = "#";
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > 1) {
      lines += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return line.size() > 1 ? lines + line + "\n" : lines;
}

std::string word_for(const std::string& format) {
  if (format == "duration") return "30s";
  if (format == "bytes") return "16MiB";
  if (format == "path-read") return "/path/to/file";
  if (format == "conninfo") return "dbname=postgres";
  if (format == "host-port") return "localhost:5432";
  return format == "date-time" ? "2026-02-03T04:05:06Z" : "name";
}

// A value for a key that has no default: what the schema shows, else the simplest that it may allow.
class Sample {
 public:
  explicit Sample(const Document& root, Document::AllocatorType& memory) : root_(root), memory_(memory) {}

  Value of(const Value& written, int depth = 0) {
    const Value* const meant = schema::resolve(root_, written);
    if (meant == nullptr || depth > kDepthMax) return Value(rapidjson::kNullType);
    for (const char* const list : {"examples", "enum"}) {
      if (const Value* const shown = find_member(*meant, list)) return Value((*shown)[0], memory_);
    }
    if (const Value* const fallback = find_member(*meant, "default")) return Value(*fallback, memory_);
    for (const char* const list : {"oneOf", "anyOf"}) {
      if (const Value* const choices = find_member(*meant, list)) return of((*choices)[0], depth + 1);
    }
    return of_type(*meant, depth);
  }

 private:
  Value of_type(const Value& schema, int depth) {
    const Value* type = find_member(schema, "type");
    if (type != nullptr && type->IsArray()) type = &(*type)[0];
    const std::string name = type == nullptr ? "string" : type->GetString();
    if (name == "boolean") return Value(false);
    if (name == "integer" || name == "number") {
      const Value* const least = find_member(schema, "minimum");
      return least == nullptr ? Value(1) : Value(*least, memory_);
    }
    if (name == "array") return array(schema, depth);
    if (name == "object") return object(schema, depth);
    return Value(word_for(text_member(schema, "format")).c_str(), memory_);
  }

  Value array(const Value& schema, int depth) {
    Value list(rapidjson::kArrayType);
    if (const Value* const items = find_member(schema, "items")) list.PushBack(of(*items, depth + 1), memory_);
    return list;
  }

  // What it requires; of one that requires nothing, all.
  Value object(const Value& schema, int depth) {
    Value made(rapidjson::kObjectType);
    const Value* const properties = find_member(schema, "properties");
    if (properties == nullptr) return made;
    const Value* const required = find_member(schema, "required");
    for (const auto& property : properties->GetObject()) {
      const std::string name(property.name.GetString(), property.name.GetStringLength());
      if (required != nullptr && !is_required(schema, name)) continue;
      made.AddMember(Value(name.c_str(), memory_), of(property.value, depth + 1), memory_);
    }
    return made;
  }

  const Document& root_;
  Document::AllocatorType& memory_;
};

struct Setting {
  std::string key, prose, type;
  Value value;
  bool is_default = false, is_required = false;
};

std::vector<Setting> settings_of(const Document& root, Document& memory) {
  std::vector<Setting> settings;
  const Value* const properties = find_member(root, "properties");
  if (properties == nullptr) return settings;
  for (const auto& property : properties->GetObject()) {
    const Value* const schema = schema::resolve(root, property.value);
    if (schema == nullptr) continue;
    Setting setting;
    setting.key.assign(property.name.GetString(), property.name.GetStringLength());
    setting.prose = text_member(*schema, "description");
    setting.type = type_words(root, *schema);
    if (const std::string bounds = bounds_words(*schema); !bounds.empty()) setting.type += ", " + bounds;
    setting.is_required = is_required(root, setting.key);
    const Value* const fallback = find_member(*schema, "default");
    setting.is_default = fallback != nullptr;
    setting.value =
        fallback != nullptr ? Value(*fallback, memory.GetAllocator()) : Sample(root, memory.GetAllocator()).of(*schema);
    settings.push_back(std::move(setting));
  }
  return settings;
}

bool would_load(const std::vector<Setting>& settings, const schema::Schema& schema) {
  Document document(rapidjson::kObjectType);
  for (const Setting& setting : settings) {
    document.AddMember(Value(setting.key.c_str(), document.GetAllocator()), Value(setting.value, document.GetAllocator()),
                       document.GetAllocator());
  }
  return static_cast<bool>(schema.validate(document));
}

std::string setting_text(const Setting& setting, bool samples_load) {
  const std::string about = setting.type + (setting.is_default ? "" : setting.is_required ? "; required" : "; no default");
  std::string text = "\n" + prose(setting.prose) + prose("(" + about + ")");
  // A sample that its schema does not take is no setting: only the plugin's documentation knows one.
  const bool as_prose = setting.value.IsNull() || (!setting.is_default && !samples_load);
  if (as_prose) return text + "# " + key_text(setting.key) + " = ...\n";
  return text + "#" + key_text(setting.key) + " = " + to_toml(setting.value) + "\n";
}

}  // namespace

std::string to_toml(const Value& value) {
  if (value.IsString()) return quoted({value.GetString(), value.GetStringLength()});
  std::string text;
  if (value.IsArray()) {
    for (const Value& element : value.GetArray()) text += (text.empty() ? "" : ", ") + to_toml(element);
    return "[" + text + "]";
  }
  if (!value.IsObject()) return schema::to_text(value);
  for (const auto& member : value.GetObject()) {
    if (member.value.IsNull()) continue;
    text += (text.empty() ? " " : ", ") + key_text({member.name.GetString(), member.name.GetStringLength()}) + " = " +
            to_toml(member.value);
  }
  return text.empty() ? "{}" : "{" + text + " }";
}

Expected<std::string> config_example(const host::PluginInfo& plugin) {
  PGA_TRY(const schema::Schema schema, schema::Schema::parse(plugin.config_schema, schema::Schema::Purpose::kConfig));
  Document memory;
  const std::vector<Setting> settings = settings_of(schema.document(), memory);
  const std::int64_t interval_ms = plugin.default_interval_ms > 0 ? plugin.default_interval_ms : kIntervalMs;
  const std::int64_t timeout_ms = std::min(plugin.default_timeout_ms > 0 ? plugin.default_timeout_ms : kTimeoutMs, interval_ms);
  std::string text = prose(plugin.id + " " + plugin.version + ": " + plugin.description);
  text += prose("Needs: " + needs_words(plugin.needs) + ".");
  text += prose(
      "Take the # away from the table's name to enable it, and from each key whose value you change: what is shown is the "
      "default where there is one.");
  text += "\n#[plugins." + plugin.id + "]\n#enabled = true\n#interval = \"" + duration_words(interval_ms) + "\"\n#timeout = \"" +
          duration_words(timeout_ms) + "\"\n";
  if ((plugin.needs & PGA_NEED_EXEC) != 0) text += "#allow_exec = true\n";  // without it the plugin is refused
  const bool samples_load = would_load(settings, schema);
  for (const Setting& setting : settings) text += setting_text(setting, samples_load);
  return text;
}

}  // namespace pganalytics::collector
