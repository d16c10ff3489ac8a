#include "core/server/api/config_values.h"

#include "core/config/host_only_keys.h"
#include "core/config/log_filters.h"
#include "core/schema/units.h"

namespace pganalytics::server::api {
namespace {

using rapidjson::Value;

constexpr std::int64_t kMinIntervalMs = 1'000;
constexpr std::int64_t kMaxIntervalMs = 86'400'000;
constexpr std::int64_t kMaxRetentionDays = 3'650;
constexpr std::int64_t kMinBackupMs = 60'000;
constexpr std::int64_t kMaxBackupMs = 30LL * 86'400'000;

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

}  // namespace

Error config_error(std::string_view path, std::string_view what) {
  return Error{PGA_E_CONFIG, "bad_config", std::string(path) + ": " + std::string(what), {}, 0};
}

Expected<std::string> read_interval(const Value& value, const std::string& path) {
  constexpr const char* kWanted = "an interval is a duration like \"30s\" or whole seconds, from 1 s to 1 d";
  std::int64_t interval_ms = 0;
  if (value.IsInt64()) {
    if (value.GetInt64() > kMaxIntervalMs / 1000) return config_error(path, kWanted);
    interval_ms = value.GetInt64() < 1 ? 0 : value.GetInt64() * 1000;
  } else if (value.IsString()) {
    const auto parsed = schema::parse_duration_ms(text_of(value));
    if (!parsed) return config_error(path, kWanted);
    interval_ms = parsed.value();
  }
  if (interval_ms < kMinIntervalMs || interval_ms > kMaxIntervalMs) return config_error(path, kWanted);
  return value.IsString() ? std::string(text_of(value)) : std::to_string(interval_ms / 1000) + "s";
}

Expected<std::string> read_log_filter(const Value& value, const std::string& path) {
  if (!value.IsString()) return config_error(path, "a filter is a string");
  const auto filter = config::parse_log_filter(text_of(value));
  if (!filter) return config_error(path, filter.error().message + "; " + filter.error().hint);
  return config::to_word(filter.value());
}

Outcome check_compression(const Value& value) {
  if (value.IsBool() || (value.IsString() && (text_of(value) == "zstd" || text_of(value) == "gzip"))) return {};
  return config_error("compression", "one of true, false, \"zstd\" and \"gzip\"");
}

Outcome check_retention_days(const Value& value) {
  if (value.IsInt64() && value.GetInt64() >= 1 && value.GetInt64() <= kMaxRetentionDays) return {};
  return config_error("retention_days", "whole days, from 1 to 3650");
}

Outcome check_backup_interval(const Value& value) {
  const auto interval_ms = value.IsString() ? schema::parse_duration_ms(text_of(value)) : Expected<std::int64_t>(-1);
  if (interval_ms && (*interval_ms == 0 || (*interval_ms >= kMinBackupMs && *interval_ms <= kMaxBackupMs))) return {};
  return config_error("backup_interval", "a duration like \"24h\": 0s for none, or from 1 m to 30 d");
}

Error host_only_error(std::string_view path) {
  Error error = config_error(
      path,
      "may be set on the collector's host only: it is a connection, a path, a command, SQL, an address, a right or a secret");
  error.code = "config.host_only";
  return error;
}

Outcome check_remote_may_set(const Value& value, const std::string& path) {
  if (value.IsObject()) {
    for (const auto& member : value.GetObject()) {
      const std::string below = path + "." + std::string(text_of(member.name));
      if (config::is_host_only_key(text_of(member.name))) return host_only_error(below);
      PGA_CHECK(check_remote_may_set(member.value, below));
    }
  }
  if (value.IsArray()) {
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i)
      PGA_CHECK(check_remote_may_set(value[i], path + "[" + std::to_string(i) + "]"));
  }
  return {};
}

}  // namespace pganalytics::server::api
