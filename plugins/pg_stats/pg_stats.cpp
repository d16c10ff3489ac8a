// The collector `pg_stats`: descriptor, configuration, and what a run needs from the host.
//
// Not here: the run itself (collection.h), what is asked (families/). Called by the host, one call at a time.
#include <algorithm>
#include <chrono>
#include <optional>
#include <pganalytics/plugin.hpp>
#include <string>
#include <utility>

#include "pg_stats_embedded.h"
#include "plugins/pg_stats/collection.h"

namespace pganalytics::pg_stats {
namespace {

constexpr char kVersion[] = "0.1.0";
constexpr char kLastRun[] = "run";                     // in the state
constexpr std::chrono::milliseconds kReserveMin{200};  // for handing over what was read, before the host's own deadline

class PgStats : public Collector {
 public:
  PgStats(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override {
    PGA_TRY(Settings settings, parse_settings(config_json));
    if (!dry_run) collection_.configure(std::move(settings));
    return {};
  }

  Outcome collect(Run& run) override {
    // What the run before has sent is only known to have arrived if what it staged has.
    if (!last_run_ || !is_kept(*last_run_)) collection_.forget();
    last_run_.reset();
    PGA_TRY(const postgres::ReadOnlySession::Profile profile, profile_of(run));
    PGA_CHECK(collection_.run(run, profile, fact("plugin.instance", "")));
    const std::string name = run.timestamp() + "/" + std::to_string(run.sequence());
    PGA_CHECK(host_.state_set(kLastRun, name));
    last_run_ = name;
    return {};
  }

 private:
  bool is_kept(const std::string& run) const {
    const auto kept = host_.state_get(kLastRun);
    return kept && kept.value() == run;
  }

  // A JSON string of the host's, without its quotes.
  std::string fact(const char* key, const char* otherwise) const {
    const auto value = host_.info_get(key);
    if (!value || !value.value() || value.value()->size() < 2) return otherwise;
    return value.value()->substr(1, value.value()->size() - 2);
  }

  Expected<postgres::ReadOnlySession::Profile> profile_of(const Run& run) const;

  Host host_;
  Collection collection_;
  std::optional<std::string> last_run_;  // of this process; nullopt: none that went well
};

// The deadline we keep is a little before the host's, so that a slow database costs itself and not the others' documents.
Expected<postgres::ReadOnlySession::Profile> PgStats::profile_of(const Run& run) const {
  const auto reserve = std::max(kReserveMin, run.remaining() / 10);
  const Settings& settings = collection_.settings();
  postgres::ReadOnlySession::Profile profile = session_profile(settings, fact("product.version", kVersion));
  profile.deadline = postgres::deadline_in(run.remaining() - reserve, run.cancel_fd());
  if (settings.password_secret) {
    PGA_TRY(const auto password, host_.secret_get(settings.password_secret->c_str()));
    if (!password) {
      return Error{PGA_E_CONFIG, "config.secret", "password: there is no secret '" + *settings.password_secret + "'",
                   "Add it to the collector's secrets, or remove password.", 0};
    }
    profile.password = *password;
  }
  return profile;
}

}  // namespace
}  // namespace pganalytics::pg_stats

PGA_DEFINE_PLUGIN(pganalytics::pg_stats::PgStats, "pg_stats",
                  (pganalytics::PluginFacts{pganalytics::pg_stats::kVersion, "pgAnalytics",
                                            "PostgreSQL statistics: server, databases, tables, indexes, statements, activity",
                                            "Apache-2.0", "https://github.com/pganalytics/pganalytics", "",
                                            embedded::config_schema_json, embedded::output_schema_json, PGA_NEED_PG, 0, 10'000,
                                            30'000}))
