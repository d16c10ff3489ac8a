#include "core/server/program/reload.h"

#include "tests/support/catch.h"

#include <functional>

using namespace pganalytics;
using namespace pganalytics::server::program;

TEST_CASE("what only a restart changes is named, each by its key, in the file's order") {
  struct Case {
    const char* key;
    std::function<void(Settings&)> change;
  };
  const std::vector<Case> cases = {
      {"server.listen", [](Settings& s) { s.listen = "127.0.0.1:1"; }},
      {"server.data_dir", [](Settings& s) { s.data_dir = "/elsewhere"; }},
      {"server.user", [](Settings& s) { s.user = "somebody"; }},
      {"database.url", [](Settings& s) { s.database_url = "postgresql://db"; }},
      {"database.bin_dir", [](Settings& s) { s.database_bin_dir = "/bin"; }},
      {"database.connections", [](Settings& s) { ++s.database_connections; }},
      {"database.prepared", [](Settings& s) { s.database_prepared = !s.database_prepared; }},
      {"tls.cert_file", [](Settings& s) { s.certificate_file = "/c"; }},
      {"tls.key_file", [](Settings& s) { s.key_file = "/k"; }},
      {"tls.names", [](Settings& s) { s.names = {"db"}; }},
      {"enrolment.server_keys", [](Settings& s) { s.api.server_keys = !s.api.server_keys; }},
      {"enrolment.certificate_life", [](Settings& s) { ++s.api.certificate_life_ms; }},
      {"limits.drain", [](Settings& s) { ++s.drain_ms; }},
      {"metrics.listen",
       [](Settings& s) {
         s.metrics_listen = config::ListenAddress{"127.0.0.1", 9187, true};
       }},
  };
  Settings all;
  std::vector<std::string> keys;
  for (const Case& c : cases) {
    Settings changed;
    c.change(changed);
    CHECK(changes_for_a_restart({}, changed) == std::vector<std::string>{c.key});
    c.change(all);
    keys.emplace_back(c.key);
  }
  CHECK(changes_for_a_restart({}, all) == keys);
  CHECK(changes_for_a_restart(all, all).empty());
}

TEST_CASE("what is in force at once wants no restart") {
  Settings next;
  next.log_level = log::Level::kDebug;
  next.log_format = log::Format::kJson;
  next.log_requests = true;
  next.slow_query_ms = 1;
  next.ingest_lag_max_ms = 1;
  next.disk_free_min_bytes = 1;
  next.document_days = 1;
  next.signing_key_life_ms = 1;
  next.roll_ups.days_of_5m = 1;
  next.http.connections = 1;
  next.api.push_per_second = 1;
  CHECK(changes_for_a_restart({}, next).empty());
}
