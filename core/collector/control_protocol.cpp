#include "core/collector/control_protocol.h"

#include "core/instance/instance_name.h"
#include "core/schema/json_text.h"
#include "core/schema/units.h"

#include <optional>
#include <pganalytics/json.hpp>
#include <utility>
#include <vector>

namespace pganalytics::collector {
namespace {

using Command = ControlRequest::Command;

constexpr std::pair<Command, const char*> kCommands[] = {{Command::kStatus, "status"}, {Command::kRelease, "release"}};

Error malformed(const std::string& why) {
  return {PGA_E_CONFIG, "control.malformed", "a control request that is not understood: " + why,
          R"(Send one line such as {"command":"status"}.)", 0};
}

const char* name_of(Command command) {
  for (const auto& [known, name] : kCommands) {
    if (known == command) return name;
  }
  return "";
}

Expected<Command> command_named(const std::string& word) {
  std::vector<std::string> names;
  for (const auto& [command, name] : kCommands) {
    if (word == name) return command;
    names.emplace_back(name);
  }
  const std::string near = schema::nearest(word, names);
  return Error{PGA_E_CONFIG, "control.unknown_command", "there is no control command '" + word + "'",
               near.empty() ? "The commands are status and release." : "Did you mean '" + near + "'?", 0};
}

// nullopt: no such member, or no text.
std::optional<std::string> text_member(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return std::nullopt;
  return std::string(member->value.GetString(), member->value.GetStringLength());
}

Outcome take_member(const std::string& key, const rapidjson::Value& value, ControlRequest& request) {
  if (!value.IsString()) return malformed("'" + key + "' is not a string");
  const std::string text(value.GetString(), value.GetStringLength());
  if (key == "command") {
    PGA_TRY(request.command, command_named(text));
  } else if (key == "plugin") {
    if (text.empty() || text.size() > instance::kWholeBytesMax) return malformed("'plugin' is not a plugin's name");
    request.plugin = text;
  } else {
    return malformed("it has the unknown member '" + key + "'");
  }
  return {};
}

}  // namespace

Expected<ControlRequest> parse_request(std::string_view line) {
  schema::JsonLimits limits;
  limits.bytes = kControlRequestBytesMax;
  limits.depth = 4;
  limits.object_keys = 8;
  const auto json = schema::parse_json(line, limits);
  if (!json) return malformed(json.error().message);
  if (!json->IsObject() || !json->HasMember("command")) return malformed("it is not an object with a 'command'");
  ControlRequest request;
  for (const auto& member : json->GetObject()) {
    PGA_CHECK(take_member({member.name.GetString(), member.name.GetStringLength()}, member.value, request));
  }
  const bool names_plugin = !request.plugin.empty();
  if (request.command == Command::kRelease && !names_plugin) return malformed("release names no 'plugin'");
  if (request.command == Command::kStatus && names_plugin) return malformed("status takes no 'plugin'");
  return request;
}

std::string to_line(const ControlRequest& request) {
  JsonWriter json;
  json.begin_object().member("command", name_of(request.command));
  if (!request.plugin.empty()) json.member("plugin", request.plugin);
  return std::string(json.end_object().text()) + "\n";
}

std::string answer_line(std::string_view result_json) {
  JsonWriter json;
  json.begin_object().key("result").json(result_json).end_object();
  return std::string(json.text()) + "\n";
}

std::string error_line(const Error& error) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("status", error.status).member("code", error.code).member("message", error.message).member("hint", error.hint);
  json.end_object().end_object();
  return std::string(json.text()) + "\n";
}

Expected<rapidjson::Document> parse_answer(std::string_view line) {
  schema::JsonLimits limits;
  limits.bytes = kControlAnswerBytesMax;
  auto answer = schema::parse_json(line, limits);
  const Error strange{PGA_E_FAIL, "control.answer", "the collector's answer is not understood",
                      "Is it of the same version as this program?", 0};
  if (!answer || !answer->IsObject()) return strange;
  if (const auto result = answer->FindMember("result"); result != answer->MemberEnd()) {
    rapidjson::Document document;
    document.CopyFrom(result->value, document.GetAllocator());
    return document;
  }
  const auto told = answer->FindMember("error");
  if (told == answer->MemberEnd() || !told->value.IsObject()) return strange;
  const auto message = text_member(told->value, "message");
  const auto status = told->value.FindMember("status");
  if (!message || status == told->value.MemberEnd() || !status->value.IsInt() || status->value.GetInt() >= 0) return strange;
  return Error{status->value.GetInt(), text_member(told->value, "code").value_or(""), *message,
               text_member(told->value, "hint").value_or(""), 0};
}

}  // namespace pganalytics::collector
