// The collector `pg_stats`: one run reads a server and, one connection at a time, each of its databases.
//
// Here: descriptor, configuration, the order of a run, what a failure means for it. Not here: sessions (session.h), what is
// asked (server.h, relations.h and queries/), documents (packer.h). Called by the host, one call at a time.
#include <algorithm>
#include <chrono>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <utility>

#include "pg_stats_embedded.h"
#include "plugins/pg_stats/packer.h"
#include "plugins/pg_stats/relations.h"
#include "plugins/pg_stats/server.h"
#include "plugins/pg_stats/session.h"
#include "plugins/pg_stats/settings.h"

namespace pganalytics::pg_stats {
namespace {

constexpr char kVersion[] = "0.1.0";
constexpr std::chrono::milliseconds kReserveMin{200};  // for handing over what was read, before the host's own deadline

std::string now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return rfc3339_ms(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count());
}

class PgStats : public Collector {
 public:
  PgStats(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override {
    PGA_TRY(Settings settings, parse_settings(config_json));
    if (!dry_run) settings_ = std::move(settings);
    return {};
  }

  Outcome collect(Run& run) override;

 private:
  std::string product_version() const;
  Expected<Session::Profile> profile_of(const Run& run) const;
  void put_in_turn(Server& server) const;
  Outcome read_database(Run& run, const Session::Profile& profile, std::optional<Session> session, const Database& database,
                        Packer& packer);

  Host host_;
  Settings settings_;
  std::string next_database_;  // where the run before ran out of time: there the next one begins, so that none starves
};

std::string PgStats::product_version() const {
  const auto fact = host_.info_get("product.version");  // a JSON string
  if (!fact || !fact.value() || fact.value()->size() <= 2) return kVersion;
  return fact.value()->substr(1, fact.value()->size() - 2);
}

// The deadline we keep is a little before the host's, so that a slow database costs itself and not the others' documents.
Expected<Session::Profile> PgStats::profile_of(const Run& run) const {
  const auto reserve = std::max(kReserveMin, run.remaining() / 10);
  Session::Profile profile{&settings_, "pganalytics/" + product_version(), "",
                           postgres::deadline_in(run.remaining() - reserve, run.cancel_fd())};
  if (settings_.password_secret) {
    PGA_TRY(const auto password, host_.secret_get(settings_.password_secret->c_str()));
    if (!password) {
      return Error{PGA_E_CONFIG, "config.secret", "password: there is no secret '" + *settings_.password_secret + "'",
                   "Add it to the collector's secrets, or remove password.", 0};
    }
    profile.password = *password;
  }
  return profile;
}

// The session's own database first, since it is open; then from where time ran out the last time.
void PgStats::put_in_turn(Server& server) const {
  auto& all = server.databases;
  const auto due = std::find_if(all.begin(), all.end(), [&](const Database& d) { return d.name == next_database_; });
  if (due != all.end()) std::rotate(all.begin(), due, all.end());
  std::stable_partition(all.begin(), all.end(), [&](const Database& d) { return d.name == server.current_database; });
}

// Whatever fails here is told in the document; only a cancelled run and a document that the host refuses are errors.
Outcome PgStats::read_database(Run& run, const Session::Profile& profile, std::optional<Session> session,
                               const Database& database, Packer& packer) {
  Problems problems;
  const auto read = [&]() -> Expected<Relations> {
    if (monotonic_now_ns() >= profile.deadline.monotonic_ns) {
      return Error{PGA_E_DEADLINE, "deadline",
                   "reading database \"" + database.name + "\": the run's time was up before its turn",
                   "Raise the plugin's timeout, or read fewer databases.", 0};
    }
    if (!database.can_connect) {
      return Error{PGA_E_DENIED, "42501", "reading database \"" + database.name + "\": the role has no CONNECT privilege",
                   "Grant CONNECT on the database to the role, or add it to exclude_databases.", 0};
    }
    if (!session) {
      PGA_TRY(Session opened, Session::open(profile, database.name));
      session.emplace(std::move(opened));
    }
    return read_relations(*session, database.name, settings_, problems);
  };
  const std::string timestamp = now();
  auto relations = read();
  if (session) session->close();
  if (run.cancelled()) return Error{PGA_E_DEADLINE, "cancelled", "reading database \"" + database.name + "\": cancelled", "", 0};
  if (relations) return packer.add(database, timestamp, *relations, problems);
  problems.push_back(problem_of(database.name, relations.error()));
  return packer.add(database, timestamp, Relations(), problems);
}

Outcome PgStats::collect(Run& run) {
  PGA_TRY(const Session::Profile profile, profile_of(run));
  PGA_TRY(Session session, Session::open(profile, ""));
  Problems problems;
  PGA_TRY(Server server, read_server(session, settings_, problems));
  put_in_turn(server);

  Packer packer(run, server);
  for (const Problem& problem : problems) PGA_CHECK(packer.add(problem));
  // At most one connection: the first is either the one that is wanted next, or closed before the next is opened.
  std::optional<Session> open_session(std::move(session));
  if (server.databases.empty() || server.databases.front().name != server.current_database) {
    open_session->close();
    open_session.reset();
  }
  next_database_.clear();
  for (const Database& database : server.databases) {
    const bool late = monotonic_now_ns() >= profile.deadline.monotonic_ns;
    if (late && next_database_.empty()) next_database_ = database.name;
    PGA_CHECK(read_database(run, profile, std::exchange(open_session, std::nullopt), database, packer));
  }
  return packer.finish();
}

}  // namespace
}  // namespace pganalytics::pg_stats

PGA_DEFINE_PLUGIN(pganalytics::pg_stats::PgStats, "pg_stats",
                  (pganalytics::PluginFacts{pganalytics::pg_stats::kVersion, "pgAnalytics",
                                            "PostgreSQL statistics: server, databases, tables and indexes", "Apache-2.0",
                                            "https://github.com/pganalytics/pganalytics", "", embedded::config_schema_json,
                                            embedded::output_schema_json, PGA_NEED_PG, 0, 60'000, 30'000}))
