#include "plugins/pg_stats/settings.h"

#include <fnmatch.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>

#include "core/postgres/connection.h"

namespace pganalytics::pg_stats {

namespace {

using rapidjson::Value;
using std::chrono::milliseconds;

constexpr milliseconds kLockTimeoutMax{100};  // longer, and a monitoring session becomes part of a lock queue

Error bad(const char* key, const std::string& why, const std::string& hint = "") {
  return {PGA_E_CONFIG, "config.value", std::string(key) + ": " + why, hint, 0};
}

const Value* find(const Value& config, const char* key) {
  const auto member = config.FindMember(key);
  return member == config.MemberEnd() ? nullptr : &member->value;
}

Expected<std::string> text(const Value& config, const char* key) {
  const Value* const value = find(config, key);
  if (value == nullptr || !value->IsString()) return bad(key, "is not a text");
  return std::string(value->GetString(), value->GetStringLength());
}

Expected<std::vector<std::string>> texts(const Value& config, const char* key) {
  const Value* const value = find(config, key);
  if (value == nullptr || !value->IsArray()) return bad(key, "is not a list");
  std::vector<std::string> all;
  for (const Value& item : value->GetArray()) {
    if (!item.IsString()) return bad(key, "holds something that is not a text");
    all.emplace_back(item.GetString(), item.GetStringLength());
  }
  return all;
}

Expected<std::size_t> count(const Value& config, const char* key) {
  const Value* const value = find(config, key);
  if (value == nullptr || !value->IsUint()) return bad(key, "is not a count");
  return static_cast<std::size_t>(value->GetUint());
}

// "format": "duration" has been enforced by the host; a plugin alone under test gets the same answer.
Expected<milliseconds> duration(const Value& config, const char* key) {
  PGA_TRY(const std::string written, text(config, key));
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  constexpr std::int64_t kNumberMax = 1'000'000;
  std::int64_t number = 0;
  const char* const last = written.data() + written.size();
  const auto [end, error] = std::from_chars(written.data(), last, number);
  for (const auto& [unit, factor] : kUnits) {
    if (error == std::errc{} && number > 0 && number <= kNumberMax &&
        unit == std::string_view(end, static_cast<std::size_t>(last - end))) {
      return milliseconds(number * factor);
    }
  }
  return bad(key, "'" + written + "' is not a duration above zero", "Write a number and a unit, as in 500ms or 5s.");
}

Expected<double> number(const Value& config, const char* key) {
  const Value* const value = find(config, key);
  if (value == nullptr || !value->IsNumber()) return bad(key, "is not a number");
  return value->GetDouble();
}

// "families": {"tables": {"enabled": true, "interval": "5m"}}; families that are not named have their defaults.
Expected<std::map<std::string, Settings::OfFamily>> families(const Value& config) {
  std::map<std::string, Settings::OfFamily> all;
  const Value* const value = find(config, "families");
  if (value == nullptr) return all;
  if (!value->IsObject()) return bad("families", "is not a table");
  for (const auto& member : value->GetObject()) {
    const std::string name(member.name.GetString(), member.name.GetStringLength());
    if (!member.value.IsObject()) return bad("families", name + " is not a table");
    Settings::OfFamily of;
    if (const Value* const enabled = find(member.value, "enabled")) of.enabled = enabled->IsTrue();
    if (find(member.value, "interval") != nullptr) {
      PGA_TRY(of.interval, duration(member.value, "interval"));
    }
    all.emplace(name, of);
  }
  return all;
}

Expected<std::optional<std::string>> secret_name(const Value& config, const char* key) {
  const Value* const value = find(config, key);
  if (value == nullptr || value->IsNull()) return std::optional<std::string>();
  if (!value->IsObject()) return bad(key, "is not a secret", "Write {\"$secret\" = \"name\"}.");
  PGA_TRY(std::string name, text(*value, "$secret"));
  return std::optional<std::string>(std::move(name));
}

bool matches_any(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}

}  // namespace

bool Settings::selects(const std::string& database) const {
  return matches_any(databases, database) && !matches_any(exclude_databases, database);
}

std::vector<std::string> Settings::named_databases() const {
  std::vector<std::string> names;
  for (const std::string& glob : databases) {
    if (glob.find_first_of("*?[\\") == std::string::npos && !matches_any(exclude_databases, glob)) names.push_back(glob);
  }
  return names;
}

Expected<Settings> parse_settings(std::string_view config_json) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (config.HasParseError() || !config.IsObject()) {
    return Error{PGA_E_CONFIG, "config.json", "the configuration is not a JSON object", "", 0};
  }
  Settings settings;
  PGA_TRY(settings.conninfo, text(config, "conninfo"));
  PGA_TRY(settings.password_secret, secret_name(config, "password"));
  PGA_TRY(settings.databases, texts(config, "databases"));
  PGA_TRY(settings.exclude_databases, texts(config, "exclude_databases"));
  PGA_TRY(settings.rows_max, count(config, "rows_max"));
  PGA_TRY(settings.connections_max, count(config, "connections_max"));
  PGA_TRY(settings.budget_percent, number(config, "budget_percent"));
  PGA_TRY(settings.families, families(config));
  PGA_TRY(settings.full_interval, duration(config, "full_interval"));
  PGA_TRY(settings.connect_timeout, duration(config, "connect_timeout"));
  PGA_TRY(settings.statement_timeout, duration(config, "statement_timeout"));
  PGA_TRY(settings.lock_timeout, duration(config, "lock_timeout"));
  if (settings.connections_max == 0) return bad("connections_max", "is 0", "1 is the least.");
  if (!(settings.budget_percent > 0)) return bad("budget_percent", "is not above 0");
  if (settings.lock_timeout > kLockTimeoutMax) {
    return bad("lock_timeout", "more than 100ms", "A statement that waits longer holds up the sessions queued behind it.");
  }
  PGA_CHECK(postgres::conninfo_value(settings.conninfo, "dbname"));
  return settings;
}

postgres::ReadOnlySession::Profile session_profile(const Settings& settings, const std::string& product_version) {
  // Of the largest families at 50,000 tables; below it they would write temporary files.
  constexpr const char* kWorkMem = "16MB";
  postgres::ReadOnlySession::Profile profile;
  profile.conninfo = settings.conninfo;
  profile.application_name = "pganalytics/" + product_version;
  profile.asker = "pg_stats";
  profile.connect_timeout = settings.connect_timeout;
  profile.statement_timeout = settings.statement_timeout;
  profile.lock_timeout = settings.lock_timeout;
  profile.settings = {{"work_mem", kWorkMem}};
  return profile;
}

}  // namespace pganalytics::pg_stats
