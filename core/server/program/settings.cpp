#include "core/server/program/settings.h"

#include "core/config/toml_reader.h"
#include "core/server/program/forward_settings.h"

namespace pganalytics::server::program {
namespace {

using config::Problems;
using config::TableReader;

constexpr char kDefaultFile[] = "/etc/pganalytics/server.toml";
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;

void read_server(TableReader table, Settings& settings) {
  settings.listen = table.string("listen", settings.listen);
  settings.data_dir = table.string("data_dir", settings.data_dir);
  if (settings.data_dir.empty() || settings.data_dir.front() != '/') {
    table.problem("data_dir", "is not an absolute path", "Write the whole path, from the root.");
  }
  settings.user = table.string("user", settings.user);
  const std::string level = table.choice("log_level", "info", {"error", "warn", "info", "debug"});
  if (const auto parsed = log::parse_level(level)) settings.log_level = *parsed;
  const std::string format = table.choice("log_format", "text", {"text", "json"});
  if (const auto parsed = log::parse_format(format)) settings.log_format = *parsed;
  settings.log_requests = table.boolean("log_requests", settings.log_requests);
  table.finish();
}

void read_database(TableReader table, Settings& settings) {
  settings.database_url = table.string("url", "");
  settings.database_bin_dir = table.string("bin_dir", "");
  if (!settings.database_url.empty() && !settings.database_bin_dir.empty()) {
    table.problem("bin_dir", "has no meaning beside url", "Remove one of them: bin_dir is for the private PostgreSQL.");
  }
  settings.database_connections = static_cast<unsigned>(table.integer("connections", settings.database_connections, {1, 500}));
  settings.database_prepared = table.boolean("prepared", settings.database_prepared);
  settings.slow_query_ms = table.duration_ms("slow_query", settings.slow_query_ms, {0, 3'600'000});
  table.finish();
}

void read_tls(TableReader table, Settings& settings) {
  settings.certificate_file = table.string("cert_file", "");
  settings.key_file = table.string("key_file", "");
  settings.names = table.strings("names", {});
  if (settings.certificate_file.empty() != settings.key_file.empty()) {
    table.problem(settings.key_file.empty() ? "cert_file" : "key_file", "comes without its counterpart",
                  "Give cert_file and key_file, or neither.");
  }
  if (!settings.certificate_file.empty() && !settings.names.empty()) {
    table.problem("names", "has no meaning beside cert_file", "The names are those of your own certificate.");
  }
  table.finish();
}

constexpr config::Range kSecondToHour{1'000, 3'600'000};

unsigned number(TableReader& table, const char* key, unsigned otherwise, config::Range range) {
  return static_cast<unsigned>(table.integer(key, otherwise, range));
}

double rate(TableReader& table, const char* key, double otherwise) {
  return static_cast<double>(table.integer(key, static_cast<std::int64_t>(otherwise), {1, 1'000'000}));
}

std::size_t bytes(TableReader& table, const char* key, std::size_t otherwise, config::Range range) {
  return static_cast<std::size_t>(table.bytes(key, static_cast<std::int64_t>(otherwise), range));
}

// Connections and their bytes.
void read_http_limits(TableReader& table, http::Limits& http) {
  http.connections = number(table, "connections", http.connections, {1, 1'000'000});
  http.strangers_per_address = number(table, "connections_per_address", http.strangers_per_address, {1, 1'000'000});
  http.connections_per_collector = number(table, "connections_per_collector", http.connections_per_collector, {1, 1'000'000});
  http.requests_at_work = number(table, "requests", http.requests_at_work, {1, 100'000});
  http.request_bytes_at_work = bytes(table, "requests_bytes", http.request_bytes_at_work, {kMiB, 64 * 1024 * kMiB});
  http.bodies = number(table, "bodies", http.bodies, {1, 100'000});
  http.stranger_bodies = number(table, "stranger_bodies", http.stranger_bodies, {1, 100'000});
  http.stranger_bodies_per_address = number(table, "stranger_bodies_per_address", http.stranger_bodies_per_address, {1, 100'000});
  http.handshake_timeout_ms = table.duration_ms("handshake_timeout", http.handshake_timeout_ms, kSecondToHour);
  http.header_timeout_ms = table.duration_ms("header_timeout", http.header_timeout_ms, kSecondToHour);
  http.request_timeout_ms = table.duration_ms("request_timeout", http.request_timeout_ms, kSecondToHour);
  http.idle_timeout_ms = table.duration_ms("idle_timeout", http.idle_timeout_ms, kSecondToHour);
  http.stranger_timeout_ms = table.duration_ms("stranger_timeout", http.stranger_timeout_ms, kSecondToHour);
  http.body_bytes_per_second = bytes(table, "body_rate", http.body_bytes_per_second, {1, kMiB});
  http.header_bytes = bytes(table, "header_bytes", http.header_bytes, {kKiB, kMiB});
  http.header_fields = number(table, "header_fields", static_cast<unsigned>(http.header_fields), {8, 1'000});
  http.target_bytes = bytes(table, "target_bytes", http.target_bytes, {256, 64 * kKiB});
}

// What callers may do, and how often.
void read_api_limits(TableReader& table, api::ApiOptions& api) {
  api.push_per_second = rate(table, "push_per_second", api.push_per_second);
  api.push_burst = rate(table, "push_burst", api.push_burst);
  api.read_per_second = rate(table, "read_per_second", api.read_per_second);
  api.read_burst = rate(table, "read_burst", api.read_burst);
  api.token_per_minute = rate(table, "token_per_minute", api.token_per_minute);
  api.enrol_per_minute = rate(table, "enrol_per_minute", api.enrol_per_minute);
  api.enrol_per_second_in_all = rate(table, "enrol_per_second_in_all", api.enrol_per_second_in_all);
  api.enrol_failures = number(table, "enrol_failures", api.enrol_failures, {1, 1'000'000});
  api.enrol_lockout_ms = table.duration_ms("enrol_lockout", api.enrol_lockout_ms, {1'000, 86'400'000});
  api.auth_failures_per_minute = rate(table, "auth_failures_per_minute", api.auth_failures_per_minute);
  api.push_body_bytes = bytes(table, "body_bytes", kMiB, {kKiB, 64 * kMiB});
  api.push.inflated_bytes = bytes(table, "inflated_bytes", 8 * kMiB, {kKiB, 512 * kMiB});
}

void read_enrolment(TableReader table, Settings& settings) {
  settings.api.server_keys = table.boolean("server_keys", settings.api.server_keys);
  settings.api.certificate_life_ms =
      table.duration_ms("certificate_life", settings.api.certificate_life_ms, {kMinuteMs, 90 * kDayMs});
  table.finish();
}

void read_access(TableReader table, Settings& settings) {
  settings.signing_key_life_ms = table.duration_ms("signing_key_life", settings.signing_key_life_ms, {kDayMs, 3650 * kDayMs});
  table.finish();
}

std::uint32_t days(TableReader& table, const char* key, std::uint32_t otherwise) {
  return static_cast<std::uint32_t>(table.duration_ms(key, otherwise * kDayMs, {kDayMs, 3650 * kDayMs}) / kDayMs);
}

void read_retention(TableReader table, Settings& settings) {
  settings.document_days = static_cast<int>(days(table, "documents", static_cast<std::uint32_t>(settings.document_days)));
  table.finish();
}

void read_rollups(TableReader table, Settings& settings) {
  settings.roll_ups.days_of_5m = days(table, "keep_5m", settings.roll_ups.days_of_5m);
  settings.roll_ups.days_of_1h = days(table, "keep_1h", settings.roll_ups.days_of_1h);
  table.finish();
}

void read_metrics(TableReader table, Settings& settings) {
  if (const auto text = table.string("listen")) {
    auto address = config::ListenAddress::parse(*text);
    if (!address) table.problem("listen", address.error().message, address.error().hint);
    if (address) settings.metrics_listen = std::move(address).value();
  }
  table.finish();
}

void read_health(TableReader table, Settings& settings) {
  settings.ingest_lag_max_ms = table.duration_ms("ingest_lag", settings.ingest_lag_max_ms, {kMinuteMs, 365 * kDayMs});
  settings.disk_free_min_bytes = table.bytes("disk_free", settings.disk_free_min_bytes, {0, kMiB * kMiB * kKiB});
  table.finish();
}

void read_limits(TableReader table, Settings& settings) {
  read_http_limits(table, settings.http);
  read_api_limits(table, settings.api);
  settings.drain_ms = table.duration_ms("drain", settings.drain_ms, {0, 20'000});
  table.finish();
}

Expected<config::Node> read_file(const std::optional<std::string>& path) {
  auto file = config::read_toml_file(path.value_or(kDefaultFile));
  if (!file && !path && file.error().status == PGA_E_NOTFOUND) return config::make_table({});
  if (!file && file.error().status == PGA_E_NOTFOUND) {
    Error error = std::move(file).error();
    error.hint = "Give the right path with --config, or leave it out for the defaults.";
    return error;
  }
  return file;
}

}  // namespace

Expected<Settings> load_settings(const std::optional<std::string>& path) {
  PGA_TRY(const config::Node file, read_file(path));
  Problems problems;
  Settings settings;
  TableReader root(file, "", problems);
  read_server(root.table("server"), settings);
  read_database(root.table("database"), settings);
  read_tls(root.table("tls"), settings);
  read_enrolment(root.table("enrolment"), settings);
  read_access(root.table("access"), settings);
  read_retention(root.table("retention"), settings);
  read_rollups(root.table("rollups"), settings);
  read_limits(root.table("limits"), settings);
  read_metrics(root.table("metrics"), settings);
  read_health(root.table("health"), settings);
  settings.forwards = read_forwards(root, problems);
  root.finish();
  if (!problems.empty()) return problems.as_error();
  return settings;
}

}  // namespace pganalytics::server::program
