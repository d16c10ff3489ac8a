#include "plugins/exec/settings.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <pganalytics/text.hpp>

namespace pganalytics::exec {
namespace {

using rapidjson::Value;

Error wrong(const std::string& place, const std::string& why, const std::string& hint = "") {
  return {PGA_E_CONFIG, "config.commands", place + " " + why, hint, 0};
}

const Value* member(const Value& object, const char* key) {
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

// The system cannot take a text with a NUL in it.
Expected<std::string> text_of(const Value* value, const std::string& place) {
  if (value == nullptr || !value->IsString()) return wrong(place, "is missing or no text");
  std::string text(value->GetString(), value->GetStringLength());
  if (text.find('\0') != std::string::npos) return wrong(place, "holds a NUL character");
  return text;
}

Expected<std::vector<std::string>> argv_of(const Value* value, const std::string& place) {
  if (value == nullptr || !value->IsArray() || value->Empty()) return wrong(place, "is missing or no list");
  std::vector<std::string> argv;
  for (const Value& word : value->GetArray()) {
    PGA_TRY(argv.emplace_back(), text_of(&word, place));
  }
  if (argv.front().empty() || argv.front().front() != '/') {
    return wrong(place, "begins with '" + argv.front() + "', which is no absolute path",
                 "Write the whole path of the program: no PATH is searched.");
  }
  return argv;
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && (name.front() < '0' || name.front() > '9') && std::all_of(name.begin(), name.end(), fits);
}

Expected<std::vector<Variable>> env_of(const Value* value, const std::string& place) {
  std::vector<Variable> env;
  if (value == nullptr) return env;
  if (!value->IsObject()) return wrong(place, "is no table");
  for (const auto& given : value->GetObject()) {
    Variable variable;
    variable.name.assign(given.name.GetString(), given.name.GetStringLength());
    if (!is_variable_name(variable.name))
      return wrong(place, "has the name '" + variable.name + "', which is none of a variable");
    variable.is_secret = given.value.IsObject();
    const Value* const text = variable.is_secret ? member(given.value, "$secret") : &given.value;
    PGA_TRY(variable.value, text_of(text, place + "." + variable.name));
    env.push_back(std::move(variable));
  }
  return env;
}

Expected<Command> command_of(const Value& value, const std::string& place) {
  if (!value.IsObject()) return wrong(place, "is no table");
  Command command;
  PGA_TRY(command.name, text_of(member(value, "name"), place + ".name"));
  PGA_TRY(command.argv, argv_of(member(value, "argv"), place + ".argv"));
  PGA_TRY(command.env, env_of(member(value, "env"), place + ".env"));
  if (const Value* const cwd = member(value, "cwd")) {
    PGA_TRY(command.cwd, text_of(cwd, place + ".cwd"));
  }
  if (const Value* const format = member(value, "format")) {
    command.format = *format == "nagios" ? Format::kNagios : Format::kJson;
  }
  if (const Value* const timeout = member(value, "timeout")) {
    PGA_TRY(const std::string text, text_of(timeout, place + ".timeout"));
    const auto duration = to_duration(text);
    if (!duration || duration->count() == 0)
      return wrong(place + ".timeout", "is no time: '" + text + "'", "Write it as in \"10s\".");
    command.timeout = *duration;
  }
  return command;
}

}  // namespace

Expected<std::vector<Command>> parse_settings(std::string_view config_json) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) return wrong("the configuration", "is not a JSON object");
  const Value* const list = member(config, "commands");
  if (list == nullptr || !list->IsArray() || list->Empty()) return wrong("commands", "is missing or empty", "Name at least one.");
  std::vector<Command> commands;
  for (rapidjson::SizeType i = 0; i < list->Size(); ++i) {
    PGA_TRY(Command command, command_of((*list)[i], "commands." + std::to_string(i)));
    for (const Command& before : commands) {
      if (before.name == command.name) return wrong("commands", "has two of the name '" + command.name + "'", "Rename one.");
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace pganalytics::exec
