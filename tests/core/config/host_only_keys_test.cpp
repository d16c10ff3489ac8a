#include "core/config/host_only_keys.h"

#include "tests/support/catch.h"

using namespace pganalytics::config;

TEST_CASE("keys that name connections, paths, commands, SQL, addresses or secrets") {
  for (const char* key : {"conninfo",      "dsn",
                          "paths",         "log_paths",
                          "path",          "FILE",
                          "data_dir",      "cwd",
                          "password",      "db_password",
                          "password_file", "passwords",
                          "api_token",     "secret_name",
                          "credentials",   "pre_command",
                          "commands",      "argv",
                          "start_script",  "shell",
                          "env",           "sql",
                          "extra-queries", "backend.url",
                          "proxy",         "ca",
                          "client_cert",   "private_key_id",
                          "x_api_key",     "auth",
                          "redact",        "address",
                          "bind_addr",     "host",
                          "hostaddr",      "port",
                          "server",        "endpoint",
                          "statement",     "sslkey",
                          "db_user",       "scriptFile",
                          "dataDir",       "brokerURL",
                          "apiKey",        "privateKeyPem",
                          "listenAddress", "host_2",
                          "url2",          "servers.0"}) {
    CAPTURE(key);
    CHECK(is_host_only_key(key));
    CHECK(is_host_only_section(key));
  }
  for (const char* key : {"",
                          "_",
                          "databases",
                          "exclude_databases",
                          "min_severity",
                          "severities",
                          "classes",
                          "exclude_classes",
                          "full_entries_per_class",
                          "file_systems",
                          "path_count",
                          "include_types",
                          "statement_timeout",
                          "lock_timeout",
                          "connect_timeout",
                          "tables_max",
                          "line_prefix",
                          "max_bytes_per_run",
                          "idle",
                          "start",
                          "exclude_mount_points",
                          "exclude_devices",
                          "step",
                          "transport",
                          "support",
                          "hostnames_max",
                          "profile",
                          "redirectCount",
                          "mount_timeout_ms",
                          "level_2"}) {
    CAPTURE(key);
    CHECK_FALSE(is_host_only_key(key));
  }
}

TEST_CASE("tables of the collector's own file are no sections of a remote document") {
  for (const char* key : {"backend", "Backend", "collector", "spool", "tls", "server", "identity", "state_dir", "plugin_dirs",
                          "control_socket", "output", "log_level", "log_format"}) {
    CAPTURE(key);
    CHECK(is_host_only_section(key));
  }
  for (const char* key : {"intervals", "plugins", "interval", "enabled", "log_filter", "retention"})
    CHECK_FALSE(is_host_only_section(key));
}
