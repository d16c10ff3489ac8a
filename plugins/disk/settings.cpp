#include "plugins/disk/settings.h"

#include <rapidjson/document.h>

#include <pganalytics/text.hpp>

#include "core/postgres/connection.h"

namespace pganalytics::disk {
namespace {

using std::chrono::milliseconds;

// An absent key leaves `into` as it is.
Outcome take_texts(const rapidjson::Document& config, const char* key, std::vector<std::string>& into) {
  const auto given = config.FindMember(key);
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsArray()) return config_error(key, "is not a list");
  into.clear();
  for (const auto& text : given->value.GetArray()) {
    if (!text.IsString()) return config_error(key, "holds something that is not a text");
    into.emplace_back(text.GetString(), text.GetStringLength());
  }
  return {};
}

Outcome take_mount_timeout(const rapidjson::Document& config, milliseconds& into) {
  const auto given = config.FindMember("mount_timeout_ms");
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsUint() || given->value.GetUint() == 0) return config_error("mount_timeout_ms", "is not a positive number");
  into = milliseconds(given->value.GetUint());
  return {};
}

Outcome take_directories(const rapidjson::Document& config, std::map<std::string, std::string>& into) {
  const auto given = config.FindMember("directories");
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsObject()) return config_error("directories", "is not a table");
  for (const auto& directory : given->value.GetObject()) {
    if (!directory.value.IsString() || directory.value.GetStringLength() == 0 || directory.value.GetString()[0] != '/')
      return config_error("directories", std::string("holds ") + directory.name.GetString() + ", which is no absolute path");
    into.emplace(directory.name.GetString(), directory.value.GetString());
  }
  return {};
}

Outcome take_text(const rapidjson::Document& config, const char* key, std::string& into) {
  const auto given = config.FindMember(key);
  if (given == config.MemberEnd()) return {};
  if (!given->value.IsString()) return config_error(key, "is not a text");
  into.assign(given->value.GetString(), given->value.GetStringLength());
  return {};
}

Outcome take_duration(const rapidjson::Document& config, const char* key, milliseconds& into) {
  std::string written;
  PGA_CHECK(take_text(config, key, written));
  if (written.empty()) return {};
  const auto duration = to_duration(written);
  if (!duration || *duration <= milliseconds::zero()) return config_error(key, "is no duration above zero");
  into = *duration;
  return {};
}

Outcome take_secret(const rapidjson::Document& config, const char* key, std::optional<std::string>& name) {
  const auto given = config.FindMember(key);
  if (given == config.MemberEnd()) return {};
  const auto secret = given->value.IsObject() ? given->value.FindMember("$secret") : given;
  if (!given->value.IsObject() || secret == given->value.MemberEnd() || !secret->value.IsString()) {
    return config_error(key, "is not a secret: write {\"$secret\" = \"name\"}");
  }
  name = secret->value.GetString();
  return {};
}

}  // namespace

Error config_error(const char* key, const std::string& why) {
  return {PGA_E_CONFIG, std::string("config.") + key, std::string(key) + " " + why, "", 0};
}

Expected<Settings> parse_settings(std::string_view config_json) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Error{PGA_E_CONFIG, "config.json", "the configuration is not a JSON object", "", 0};
  }
  Settings settings;
  settings.filter.exclude_types = {"tmpfs", "ramfs", "devtmpfs", "overlay", "squashfs", "erofs", "iso9660"};
  PGA_CHECK(take_text(config, "proc_path", settings.proc_path));
  PGA_CHECK(take_text(config, "sys_path", settings.sys_path));
  PGA_CHECK(take_mount_timeout(config, settings.mount_timeout));
  PGA_CHECK(take_texts(config, "include_types", settings.filter.include_types));
  PGA_CHECK(take_texts(config, "exclude_types", settings.filter.exclude_types));
  PGA_CHECK(take_texts(config, "include_mount_points", settings.filter.include_mount_points));
  PGA_CHECK(take_texts(config, "exclude_mount_points", settings.filter.exclude_mount_points));
  PGA_CHECK(take_texts(config, "exclude_devices", settings.exclude_devices));
  PGA_CHECK(take_directories(config, settings.directories));
  PGA_CHECK(take_text(config, "conninfo", settings.conninfo));
  PGA_CHECK(take_secret(config, "password", settings.password_secret));
  PGA_CHECK(take_duration(config, "server_interval", settings.server_interval));
  if (!settings.conninfo.empty()) PGA_CHECK(postgres::conninfo_value(settings.conninfo, "dbname"));  // that it can be parsed
  return settings;
}

postgres::ReadOnlySession::Profile session_profile(const Settings& settings, const std::string& product_version) {
  postgres::ReadOnlySession::Profile profile;
  profile.conninfo = settings.conninfo;
  profile.application_name = "pganalytics/" + product_version;
  profile.asker = "disk";
  profile.connect_timeout = std::chrono::seconds(2);
  profile.statement_timeout = std::chrono::seconds(2);
  profile.lock_timeout = milliseconds(100);
  return profile;
}

}  // namespace pganalytics::disk
