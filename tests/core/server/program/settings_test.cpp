#include "core/server/program/settings.h"

#include "core/files/files.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using server::program::load_settings;

namespace {

const testing::TemporaryFolder& folder() {
  static const testing::TemporaryFolder kept;
  return kept;
}

Expected<server::program::Settings> load(const std::string& text) {
  const std::string path = folder() / "server.toml";
  REQUIRE(files::write_atomically(path, text, 0600));
  return load_settings(path);
}

}  // namespace

TEST_CASE("an empty file means the defaults") {
  const auto settings = load("");
  REQUIRE(settings);
  CHECK(settings->listen == "0.0.0.0:8443");
  CHECK(settings->data_dir == "/var/lib/pganalytics-server");
  CHECK(settings->api.push_per_second == 20);
  CHECK(settings->http.connections == 12'000);
  CHECK(settings->roll_ups.days_of_5m == 90);
  CHECK(settings->roll_ups.days_of_1h == 400);
}

TEST_CASE("every table is read") {
  const auto settings = load(R"(
[server]
listen = "127.0.0.1:9000"
data_dir = "/srv/pga"
user = "monitor"
log_level = "debug"
[database]
url = "postgresql://db/pga"
connections = 20
prepared = false
[tls]
names = ["pga.example", "10.0.0.1"]
[rollups]
keep_5m = "14d"
keep_1h = "800d"
[limits]
push_per_second = 5
body_bytes = "2MiB"
inflated_bytes = "16MiB"
idle_timeout = "2m"
connections_per_address = 7
connections_per_collector = 6
bodies = 30
stranger_bodies = 20
stranger_bodies_per_address = 10
read_per_second = 21
read_burst = 22
requests = 8
requests_bytes = "9MiB"
header_timeout = "9s"
stranger_timeout = "10s"
body_rate = "11KiB"
header_bytes = "12KiB"
header_fields = 13
target_bytes = "2KiB"
token_per_minute = 15
enrol_per_second_in_all = 16
enrol_failures = 17
enrol_lockout = "18m"
auth_failures_per_minute = 19
)");
  REQUIRE(settings);
  CHECK(settings->listen == "127.0.0.1:9000");
  CHECK(settings->user == "monitor");
  CHECK(settings->log_level == log::Level::kDebug);
  CHECK(settings->database_url == "postgresql://db/pga");
  CHECK(settings->database_connections == 20);
  CHECK_FALSE(settings->database_prepared);
  CHECK(settings->names == std::vector<std::string>{"pga.example", "10.0.0.1"});
  CHECK(settings->api.push_per_second == 5);
  CHECK(settings->api.push_body_bytes == 2u << 20);
  CHECK(settings->api.push.inflated_bytes == 16u << 20);
  CHECK(settings->http.idle_timeout_ms == 120'000);
  CHECK(settings->http.strangers_per_address == 7);
  CHECK(settings->http.connections_per_collector == 6);
  CHECK(settings->http.bodies == 30);
  CHECK(settings->http.stranger_bodies == 20);
  CHECK(settings->roll_ups.days_of_5m == 14);
  CHECK(settings->roll_ups.days_of_1h == 800);
  CHECK(settings->http.stranger_bodies_per_address == 10);
  CHECK(settings->http.requests_at_work == 8);
  CHECK(settings->http.request_bytes_at_work == 9u << 20);
  CHECK(settings->http.header_timeout_ms == 9'000);
  CHECK(settings->http.stranger_timeout_ms == 10'000);
  CHECK(settings->http.body_bytes_per_second == 11u * 1024);
  CHECK(settings->http.header_bytes == 12u * 1024);
  CHECK(settings->http.header_fields == 13);
  CHECK(settings->http.target_bytes == 2u * 1024);
  CHECK(settings->api.read_per_second == 21);
  CHECK(settings->api.read_burst == 22);
  CHECK(settings->api.token_per_minute == 15);
  CHECK(settings->api.enrol_per_second_in_all == 16);
  CHECK(settings->api.enrol_failures == 17);
  CHECK(settings->api.enrol_lockout_ms == 18 * 60'000);
  CHECK(settings->api.auth_failures_per_minute == 19);
}

TEST_CASE("destinations are read by their names, with the defaults of the collector's outputs") {
  const auto settings = load(R"(
[forward.metrics-1]
url = "http://127.0.0.1:8428/api/v1/write"
[forward.logs]
kind = "otlp"
url = "https://otel.example:4318"
ca_file = "/ca.crt"
bearer_token_file = "/token"
headers = { "X-Scope-OrgID" = "db" }
proxy = "http://proxy:3128"
include = ["logs_*"]
exclude = ["logs_x"]
)");
  REQUIRE(settings);
  REQUIRE(settings->forwards.size() == 2);
  const auto &logs = settings->forwards[0], &metrics = settings->forwards[1];  // by their names
  using Protocol = config::ReceiverConfig::Protocol;
  CHECK(metrics.name == "metrics-1");
  CHECK(metrics.receiver.protocol == Protocol::kRemoteWrite);
  CHECK(metrics.receiver.url == "http://127.0.0.1:8428/api/v1/write");
  CHECK(metrics.receiver.families.include == std::vector<std::string>{"*"});
  CHECK(metrics.bearer_token_file.empty());
  CHECK(logs.receiver.protocol == Protocol::kOtlp);
  CHECK(logs.receiver.ca_file == "/ca.crt");
  CHECK(logs.receiver.proxy == "http://proxy:3128");
  CHECK(logs.receiver.headers == std::vector<std::string>{"X-Scope-OrgID: db"});
  CHECK(logs.receiver.families.include == std::vector<std::string>{"logs_*"});
  CHECK(logs.receiver.families.exclude == std::vector<std::string>{"logs_x"});
  CHECK(logs.bearer_token_file == "/token");
  CHECK(load("")->forwards.empty());
}

TEST_CASE("eight destinations are enough") {
  std::string text;
  for (int i = 0; i < 8; ++i) text += "[forward.d" + std::to_string(i) + "]\nurl = 'http://localhost/'\n";
  CHECK(load(text));
  CHECK_FALSE(load(text + "[forward.d8]\nurl = 'http://localhost/'\n"));
}

TEST_CASE("each mistake is told with file, line, key and what was meant") {
  struct Case {
    const char* text;
    const char* message;
    const char* hint;
  };
  for (const Case& c : {Case{"[server]\nlisten_adress = 'x'", "server.toml:2: server.listen_adress", ""},
                        Case{"[servr]", "server.toml:1: servr", "server"},
                        Case{"[limits]\nidle_timeout = 5", "server.toml:2: limits.idle_timeout", ""},
                        Case{"[limits]\nconnections = 0", "server.toml:2: limits.connections", ""},
                        Case{"[server]\ndata_dir = 'x'", "server.toml:2: server.data_dir", ""},
                        Case{"[tls]\ncert_file = '/x'", "server.toml:2: tls.cert_file", "key_file"},
                        Case{"[database]\nurl = 'x'\nbin_dir = '/y'", "server.toml:3: database.bin_dir", ""},
                        Case{"[forward.a]\nkind = 'otlp'", "server.toml:1: forward.a.url", "http://127.0.0.1"},
                        Case{"[forward.a]\nurl = 'http://db.example/'", "server.toml:2: forward.a.url", "https://"},
                        Case{"[forward.a]\nurl = 'https://db.example/'", "server.toml:1: forward.a.ca_file", "CA"},
                        Case{"[forward.a]\nurl = 'http://localhost/'\nkind = 'x'", "server.toml:3: forward.a.kind", "otlp"},
                        Case{"[forward.a]\nurl = 'http://localhost/'\nurls = 'x'", "server.toml:3: forward.a.urls", "url"},
                        Case{"[forward.a]\nurl = 'http://localhost/'\nheaders = { Authorization = 'x' }",
                             "server.toml:3: forward.a.headers", "bearer_token_file"},
                        Case{"[forward.'A b']\nurl = 'http://localhost/'", "'A b' is no destination", "a-z"},
                        Case{"[forward]\nurl = 'http://localhost/'", "'url' is no destination", "[forward.NAME]"},
                        Case{"forward = 1", "server.toml:1: forward", "[forward.NAME]"}, Case{"[server", "server.toml:1", ""}}) {
    INFO(c.text);
    const auto settings = load(c.text);
    REQUIRE_FALSE(settings);
    INFO(settings.error().message << "\n" << settings.error().hint);
    CHECK(settings.error().status == PGA_E_CONFIG);
    CHECK(settings.error().message.find(c.message) != std::string::npos);
    CHECK((settings.error().message + settings.error().hint).find(c.hint) != std::string::npos);
  }
}

TEST_CASE("a file that was named must exist") {
  const auto settings = load_settings(folder() / "none.toml");
  REQUIRE_FALSE(settings);
  CHECK_FALSE(settings.error().hint.empty());
}

TEST_CASE("what the server tells of itself is set in the file") {
  const auto settings = load(R"(
[server]
log_format = "json"
log_requests = true
[database]
slow_query = "250ms"
[metrics]
listen = "127.0.0.1:9187"
[health]
ingest_lag = "10m"
disk_free = "1GiB"
[limits]
drain = "5s"
)");
  REQUIRE(settings);
  CHECK(settings->log_format == log::Format::kJson);
  CHECK(settings->log_requests);
  CHECK(settings->slow_query_ms == 250);
  CHECK(settings->metrics_listen.value() == config::ListenAddress{"127.0.0.1", 9187, true});
  CHECK(settings->ingest_lag_max_ms == 600'000);
  CHECK(settings->disk_free_min_bytes == 1 << 30);
  CHECK(settings->drain_ms == 5'000);
}
