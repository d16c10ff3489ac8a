#include "plugins/logs/server/log_settings.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <pganalytics/json.hpp>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

struct TextSetting {
  std::string_view name;
  std::string LogSettings::*text;
};
constexpr TextSetting kTexts[] = {{"log_directory", &LogSettings::log_directory},
                                  {"data_directory", &LogSettings::data_directory},
                                  {"log_filename", &LogSettings::log_filename},
                                  {"log_line_prefix", &LogSettings::log_line_prefix},
                                  {"syslog_ident", &LogSettings::syslog_ident}};

Outcome check(std::string_view name, std::string_view value) {
  const auto refused = [&](const char* why) {
    return Error{PGA_E_FAIL, "logs.server_answer", "the server's answer for " + std::string(name.substr(0, 64)) + " " + why, "",
                 0};
  };
  if (value.size() > kMaxSettingBytes) return refused("is longer than any such setting");
  // A tab may stand in a line prefix.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
  if (std::any_of(value.begin(), value.end(), is_control)) return refused("has control characters in it");
  return {};
}

// A list as SplitIdentifierString() of the server reads it, without quotes, which none of these words needs.
std::vector<Format> parse_destinations(std::string_view list) {
  std::vector<Format> all;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string word;
    for (const char c : list.substr(0, comma)) {
      if (c != ' ' && c != '\t') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const auto format = parse_format(word);
    if (format && std::find(all.begin(), all.end(), *format) == all.end()) all.push_back(*format);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return all;
}

}  // namespace

bool LogSettings::writes(Format format) const {
  return std::find(destinations.begin(), destinations.end(), format) != destinations.end();
}

Expected<LogSettings> parse_log_settings(const NamedValues& values, const NamedValues& current_files) {
  LogSettings settings;
  for (const auto& [name, value] : values) {
    PGA_CHECK(check(name, value));
    for (const TextSetting& known : kTexts) {
      if (known.name == name) settings.*known.text = value;
    }
    if (name == "logging_collector") settings.logging_collector = value == "on";
    if (name == "same_host") settings.same_host = value == "true";
    if (name == "log_destination") settings.destinations = parse_destinations(value);
    if (name == "system_identifier") settings.system_identifier = to_number<std::uint64_t>(value).value_or(0);
  }
  for (const auto& [name, path] : current_files) {
    PGA_CHECK(check("pg_current_logfile", path));
    const auto format = parse_format(name);
    const bool known = !format || std::any_of(settings.current_files.begin(), settings.current_files.end(),
                                              [&](const auto& file) { return file.first == *format; });
    if (!known && !path.empty()) settings.current_files.emplace_back(*format, path);
  }
  return settings;
}

std::string log_settings_json(const LogSettings& settings) {
  std::string destinations;
  for (const Format format : settings.destinations)
    destinations += (destinations.empty() ? "" : ",") + std::string(format_name(format));
  JsonWriter json;
  json.begin_object().key("settings").begin_object();
  for (const TextSetting& known : kTexts) json.member(known.name, settings.*known.text);
  json.member("logging_collector", settings.logging_collector ? "on" : "off")
      .member("same_host", settings.same_host ? "true" : "false");
  json.member("log_destination", destinations)
      .member("system_identifier", std::to_string(settings.system_identifier))
      .end_object();
  json.key("current_files").begin_object();
  for (const auto& [format, path] : settings.current_files) json.member(format_name(format), path);
  json.end_object().end_object();
  return std::string(json.text());
}

std::optional<LogSettings> parse_log_settings_json(std::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return std::nullopt;
  NamedValues lists[2];
  constexpr const char* kNames[] = {"settings", "current_files"};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto found = document.FindMember(kNames[i]);
    if (found == document.MemberEnd() || !found->value.IsObject()) return std::nullopt;
    for (const auto& member : found->value.GetObject()) {
      if (!member.value.IsString()) return std::nullopt;
      lists[i].emplace_back(std::string(member.name.GetString(), member.name.GetStringLength()),
                            std::string(member.value.GetString(), member.value.GetStringLength()));
    }
  }
  auto settings = parse_log_settings(lists[0], lists[1]);
  if (!settings) return std::nullopt;
  return std::move(settings).value();
}

}  // namespace pganalytics::logs
