#include "core/server/program/settings.h"

#include "core/config/toml_reader.h"

namespace pganalytics::server::program {
namespace {

using config::Problems;
using config::TableReader;

constexpr char kDefaultFile[] = "/etc/pganalytics/server.toml";
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
  table.finish();
}

void read_database(TableReader table, Settings& settings) {
  settings.database_url = table.string("url", "");
  settings.database_bin_dir = table.string("bin_dir", "");
  if (!settings.database_url.empty() && !settings.database_bin_dir.empty()) {
    table.problem("bin_dir", "has no meaning beside url", "Remove one of them: bin_dir is for the private PostgreSQL.");
  }
  settings.database_connections = static_cast<unsigned>(table.integer("connections", settings.database_connections, {1, 500}));
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

void read_limits(TableReader table, Settings& settings) {
  http::Limits& http = settings.http;
  api::ApiOptions& api = settings.api;
  const config::Range second_to_hour{1'000, 3'600'000};
  http.connections = static_cast<unsigned>(table.integer("connections", http.connections, {1, 1'000'000}));
  http.handshake_timeout_ms = table.duration_ms("handshake_timeout", http.handshake_timeout_ms, second_to_hour);
  http.request_timeout_ms = table.duration_ms("request_timeout", http.request_timeout_ms, second_to_hour);
  http.idle_timeout_ms = table.duration_ms("idle_timeout", http.idle_timeout_ms, second_to_hour);
  api.push_per_second = static_cast<double>(table.integer("push_per_second", 20, {1, 100'000}));
  api.push_burst = static_cast<double>(table.integer("push_burst", 200, {1, 1'000'000}));
  api.enrol_per_minute = static_cast<double>(table.integer("enrol_per_minute", 60, {1, 100'000}));
  api.push_body_bytes = static_cast<std::size_t>(table.bytes("body_bytes", kMiB, {kKiB, 64 * kMiB}));
  api.push.inflated_bytes = static_cast<std::size_t>(table.bytes("inflated_bytes", 8 * kMiB, {kKiB, 512 * kMiB}));
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
  read_limits(root.table("limits"), settings);
  root.finish();
  if (!problems.empty()) return problems.as_error();
  return settings;
}

}  // namespace pganalytics::server::program
