// What the operator says about the server: its TOML file, checked whole before anything starts.
//
// Here: the keys, their defaults and bounds (DESIGN sections 10 and 13; docs/DEPLOYMENT.md). Not here: reading TOML
// (core/config).
#pragma once

#include "core/config/listen_address.h"
#include "core/log/log.h"
#include "core/server/api/api.h"
#include "core/server/forward/destination.h"
#include "core/server/http/https_server.h"
#include "core/server/store/store.h"

#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::program {

struct Settings {
  std::string listen = "0.0.0.0:8443";
  std::string data_dir = "/var/lib/pganalytics-server";
  std::string user;  // whom root becomes; empty: "pganalytics", else "postgres"
  log::Level log_level = log::Level::kInfo;
  log::Format log_format = log::Format::kText;
  bool log_requests = false;  // each, at level info

  std::string database_url;      // empty: a private PostgreSQL under data_dir
  std::string database_bin_dir;  // its binaries; empty: the newest installed
  unsigned database_connections = 8;
  bool database_prepared = true;       // statements may be prepared
  std::int64_t slow_query_ms = 1'000;  // statements of the store that take longer are logged; 0: none

  std::string certificate_file, key_file;  // empty: a certificate of the own CA
  std::vector<std::string> names;          // that certificate's extra DNS names and addresses

  std::optional<config::ListenAddress> metrics_listen;  // of /metrics, without TLS; absent: nowhere
  std::int64_t drain_ms = 10'000;                       // how long what is in flight has when the server stops
  std::int64_t ingest_lag_max_ms = 3'600'000;           // [health]: beyond these the server calls itself ill
  std::int64_t disk_free_min_bytes = 64 << 20;

  http::Limits http;
  api::ApiOptions api;
  int document_days = 0;                                 // documents are kept for so many days at most; 0: as long as their rows
  std::int64_t signing_key_life_ms = 90LL * 86'400'000;  // then the key of the access tokens is rotated by itself
  store::RollUpRetention roll_ups;
  std::vector<forward::Destination> forwards;
};

// `path` given by the operator must exist; without one the default file is read if it is there. PGA_E_CONFIG: every problem, with
// file and line.
Expected<Settings> load_settings(const std::optional<std::string>& path);

}  // namespace pganalytics::server::program
