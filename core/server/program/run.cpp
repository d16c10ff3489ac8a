// run, migrate, version: the server itself.
#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/server/api/api.h"
#include "core/server/auth/access_token.h"
#include "core/server/auth/authority.h"
#include "core/server/http/https_server.h"
#include "core/server/ingest/known_schemas.h"
#include "core/server/ingest/unread.h"
#include "core/server/program/certificate_watch.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/server/program/revocation_watch.h"
#include "core/server/program/roll_up_turns.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <iostream>

namespace pganalytics::server::program {
namespace {

// The signals that mean something here, taken one by one instead of interrupting: blocked before the first thread starts, so that
// no other gets them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  // The signal that came within a second; 0 if none did.
  [[nodiscard]] int wait_a_second() const {
    const timespec second{1, 0};
    const int signal = sigtimedwait(&set_, nullptr, &second);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_{};
};

// Each connection is a file descriptor; the rest is for the database, files and the listener.
void make_room_for_connections(unsigned connections) {
  constexpr rlim_t kOthers = 256;
  const rlim_t wanted = connections + kOthers;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
  const Error error{PGA_E_CONFIG, "limits.descriptors",
                    "the system lets this process open " + std::to_string(limit.rlim_cur) +
                        " files, [limits] connections = " + std::to_string(connections) + " needs " + std::to_string(wanted),
                    "Raise LimitNOFILE= of the service, or lower connections.", 0};
  log::write(log::Level::kWarn, "start", error);
}

http::ServerOptions http_options(const Settings& settings, const auth::Authority& authority) {
  http::ServerOptions options;
  options.listen = settings.listen;
  const bool own = settings.certificate_file.empty();
  options.certificate_file = certificate_file_of(settings, authority);
  options.key_file = own ? authority.server_key_file() : settings.key_file;
  options.client_ca_file = authority.ca_file();
  if (own) options.chain_ca_file = authority.ca_file();
  options.limits = settings.http;
  options.refusals = settings.api.refusals;
  return options;
}

// What must be done now and then, a bounded piece at a time so that a signal never waits long.
class Housekeeping {
 public:
  Housekeeping(Database& database, const http::Refusals& refusals, const auth::TokenSigner& signer,
               std::int64_t signing_key_life_ms)
      : database_(database),
        schemas_(*database.store),
        refusals_(refusals),
        signer_(signer),
        signing_key_life_ms_(signing_key_life_ms) {}

  void turn() {
    follow_signing_keys();
    if (database_.cluster != nullptr) {
      if (const Outcome running = database_.cluster->keep_running(); !running)
        log::write(log::Level::kError, "private PostgreSQL", running.error());
    }
    tell_refusals();
    read_unread();
    if (clock::now_monotonic_ns() < expire_at_ns_) return;
    const auto gone = database_.store->expire();
    if (!gone) log::write(log::Level::kWarn, "forgetting old documents", gone.error());
    if (gone) tell_expired(*gone);
    if (gone && gone->any()) return;  // there may be more: again in a second
    if (const Outcome forgotten = database_.store->forget_old_credentials(); !forgotten)
      log::write(log::Level::kWarn, "forgetting old credentials", forgotten.error());
    expire_at_ns_ = clock::now_monotonic_ns() + (gone ? kExpireIntervalNs : kExpireRetryNs);
  }

 private:
  static void tell_expired(const store::Expired& gone) {
    if (!gone.partition.empty()) log::info("dropped " + gone.partition + ": all in it is older than any retention_days");
    if (gone.documents > 0)
      log::info("forgot " + std::to_string(gone.documents) + " documents older than their collector's retention_days");
    if (gone.points + gone.events > 0)
      log::info("forgot " + std::to_string(gone.points) + " points and " + std::to_string(gone.events) +
                " events older than their collector's retention_days");
  }

  // Documents that came before their schema: those of some pushes a second, while there are any.
  void read_unread() {
    if (clock::now_monotonic_ns() < read_at_ns_) return;
    for (int pushes = 0; pushes < kUnreadInATurn; ++pushes) {
      const auto read = ingest::read_next_unread(*database_.store, schemas_);
      if (!read) log::write(log::Level::kWarn, "reading documents that came before their schema", read.error());
      if (read && *read) continue;
      read_at_ns_ = clock::now_monotonic_ns() + (read ? kUnreadIntervalNs : kExpireRetryNs);
      return;
    }
  }

  // One line a minute, if there is anything to tell.
  void tell_refusals() {
    const std::int64_t now_ns = clock::now_monotonic_ns();
    if (now_ns < tell_at_ns_) return;
    tell_at_ns_ = now_ns + kTellIntervalNs;
    const auto numbers = refusals_.all();
    if (const std::string news = http::describe_growth(told_, numbers); !news.empty()) {
      log::info("refused in the last minute: " + news);
    }
    told_ = numbers;
  }

  // The command line or another server of the same folder may have rotated them; in the end this one does.
  void follow_signing_keys() {
    auto changed = signer_.refresh();
    if (changed && !*changed) changed = signer_.rotate_if_older_than(signing_key_life_ms_);
    if (changed) {
      signing_trouble_.clear();
      if (*changed) log::info("access tokens are signed with key " + signer_.key_id() + " from now on");
    } else if (changed.error().message != signing_trouble_) {
      signing_trouble_ = changed.error().message;
      log::write(log::Level::kError, "following the signing keys; those in use stay", changed.error());
    }
  }

  static constexpr std::int64_t kExpireIntervalNs = 3'600'000'000'000;
  static constexpr std::int64_t kExpireRetryNs = 60'000'000'000;
  static constexpr std::int64_t kTellIntervalNs = 60'000'000'000;
  static constexpr std::int64_t kUnreadIntervalNs = 10'000'000'000;
  static constexpr int kUnreadInATurn = 20;

  Database& database_;
  ingest::KnownSchemas schemas_;
  const http::Refusals& refusals_;
  http::Refusals::Numbers told_{};
  std::int64_t tell_at_ns_ = clock::now_monotonic_ns() + kTellIntervalNs;
  const auth::TokenSigner& signer_;
  const std::int64_t signing_key_life_ms_;
  std::string signing_trouble_;  // told once
  std::int64_t expire_at_ns_ = 0, read_at_ns_ = 0;
};

void serve_until_told_to_stop(const Signals& signals, Housekeeping& housekeeping, RollUpTurns& roll_ups,
                              CertificateWatch& certificates) {
  for (;;) {
    const int signal = signals.wait_a_second();
    if (signal == SIGHUP) {
      certificates.reload();
    } else if (signal != 0) {
      log::info(std::string("stopping on ") + (signal == SIGTERM ? "SIGTERM" : "SIGINT"));
      return;
    }
    certificates.turn();
    housekeeping.turn();
    roll_ups.turn();
  }
}

Outcome serve(const Arguments& arguments) {
  const Signals signals;
  PGA_TRY(Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kServer));
  Settings& settings = place.settings;
  PGA_TRY(const auto authority, auth::Authority::open(settings.data_dir, settings.names));
  PGA_TRY(const auto signer, auth::TokenSigner::open(settings.data_dir));
  if (!settings.key_file.empty()) PGA_CHECK(files::check_private_place(settings.key_file));
  PGA_TRY(const std::int64_t first_until, read_certificate_until(certificate_file_of(settings, *authority)));
  std::atomic<std::int64_t> certificate_until{first_until};
  settings.api.certificate_until_unix_ns = &certificate_until;
  settings.api.version = PGANALYTICS_VERSION;
  make_room_for_connections(settings.http.connections);
  api::Api api(*place.database.store, *authority, *signer, settings.api);
  PGA_TRY(const auto server, http::HttpsServer::start(http_options(settings, *authority), std::ref(api)));
  PGA_TRY(const auto collectors, place.database.store->collectors());
  log::info("pganalytics-server " PGANALYTICS_VERSION " listens on " + settings.listen + "; CA " + authority->ca_file() + "; " +
            std::to_string(collectors.size()) + " collectors registered");
  Housekeeping housekeeping(place.database, *settings.api.refusals, *signer, settings.signing_key_life_ms);
  RollUpTurns roll_ups(*place.database.store, settings.roll_ups);
  CertificateWatch certificates(settings, *authority, *server, certificate_until);
  RevocationWatch revocations(api, *server);
  serve_until_told_to_stop(signals, housekeeping, roll_ups, certificates);
  revocations.stop();
  server->stop();
  return {};
}

int run(const Arguments& arguments) {
  if (const Outcome served = serve(arguments); !served) return report(served.error());
  return kExitOk;
}

int migrate(const Arguments& arguments) {
  const auto place = open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand);
  if (!place) return report(place.error());
  std::cout << (arguments.json ? "{\"status\":\"current\"}\n" : "the database has the current schema\n");
  return kExitOk;
}

int version(const Arguments& arguments) {
  std::cout << (arguments.json ? "{\"version\":\"" PGANALYTICS_VERSION "\"}\n" : "pganalytics-server " PGANALYTICS_VERSION "\n");
  return kExitOk;
}

}  // namespace

std::vector<Command> server_commands() {
  return {{"run", "", 0, "serve until SIGTERM", {}, run},
          {"migrate", "", 0, "bring the database's schema up to date (run does it too)", {}, migrate},
          {"version", "", 0, "print the version", {}, version}};
}

}  // namespace pganalytics::server::program
