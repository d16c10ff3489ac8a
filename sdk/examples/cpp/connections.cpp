// example_connections: how many sessions a PostgreSQL server has, one document per run. The host calls one at a time.
#include <rapidjson/document.h>

#include <optional>
#include <pganalytics/plugin.hpp>
#include <pganalytics/text.hpp>

#include "example_connections_embedded.h"
#include "session.h"

using namespace pganalytics;
using std::chrono::milliseconds;

namespace {

struct Settings {
  std::string conninfo;
  milliseconds connect_timeout{0};
};

class Connections : public Collector {
 public:
  Connections(Host, std::string_view) {}
  Outcome configure(std::string_view config_json, bool dry_run) override;
  Outcome collect(Run& run) override;

 private:
  Settings settings_;
  std::optional<Session> session_;  // kept between runs
};

// All-or-nothing: settings_ changes only once everything has been looked at.
Outcome Connections::configure(std::string_view config_json, bool dry_run) {
  rapidjson::Document config;
  config.Parse(config_json.data(), config_json.size());
  if (!config.IsObject() || !config.HasMember("conninfo") || !config.HasMember("connect_timeout")) {
    return Error{PGA_E_CONFIG, "config.json", "conninfo and connect_timeout are missing", "", 0};
  }
  Settings settings;
  settings.conninfo = config["conninfo"].GetString();
  PGA_CHECK(Session::check(settings.conninfo));
  const auto timeout = to_duration(config["connect_timeout"].GetString());
  if (!timeout) return Error{PGA_E_CONFIG, "config.connect_timeout", "connect_timeout is no duration", "Write it as in 5s.", 0};
  settings.connect_timeout = *timeout;
  if (dry_run) return {};
  settings_ = std::move(settings);
  session_.reset();
  return {};
}

Outcome Connections::collect(Run& run) {
  if (!session_ || !session_->usable()) {
    PGA_TRY(Session opened, Session::open(settings_.conninfo, settings_.connect_timeout, run));
    session_.emplace(std::move(opened));
  }
  PGA_TRY(const Result rows, session_->query(embedded::connections_sql, run));

  JsonWriter json;
  json.begin_object().member("type", "example_connections").member("timestamp", run.timestamp());
  json.member("server_version", session_->server_version()).key("connections").begin_array();
  for (int row = 0; row < PQntuples(rows.get()); ++row) {
    json.begin_object().member("database", PQgetvalue(rows.get(), row, 0)).member("state", PQgetvalue(rows.get(), row, 1));
    json.member("sessions", to_number<std::int64_t>(PQgetvalue(rows.get(), row, 2))).end_object();
  }
  json.end_array().end_object();
  return run.emit(json.text());
}

}  // namespace

PGA_DEFINE_PLUGIN(Connections, "example_connections",
                  (PluginFacts{"1.0.0", "pgAnalytics examples", "Sessions of a PostgreSQL server by database and state",
                               "Apache-2.0", "https://github.com/pganalytics/pganalytics", "", embedded::config_schema_json,
                               embedded::output_schema_json, PGA_NEED_PG, 0, 60'000, 10'000}))
