// run, migrate, version: the server itself.
#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/server/api/api.h"
#include "core/server/auth/access_token.h"
#include "core/server/auth/authority.h"
#include "core/server/forward/forwarder.h"
#include "core/server/http/https_server.h"
#include "core/server/program/certificate_watch.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/server/program/housekeeping.h"
#include "core/server/program/reload.h"
#include "core/server/program/revocation_watch.h"
#include "core/server/program/server_metrics.h"
#include "core/server/program/service_manager.h"
#include "core/server/program/traffic.h"
#include "core/server/program/upkeep.h"
#include "core/telemetry/metrics_endpoint.h"

#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

namespace pganalytics::server::program {
namespace {

constexpr char kServing[] = "Serving";
constexpr std::int64_t kStartSeconds = 600;  // migrations of a large database may take their time
constexpr std::int64_t kStopSeconds = 60;    // drain, and PostgreSQL's own end
constexpr std::int64_t kDrainLookMs = 50;

// The signals that mean something here, taken one by one instead of interrupting: blocked before the first thread starts, so that
// no other gets them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  // The signal that came within that time; 0 if none did.
  [[nodiscard]] int wait(std::int64_t time_ms) const {
    const timespec time{time_ms / 1'000, time_ms % 1'000 * 1'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &time);
    return signal > 0 ? signal : 0;
  }
  [[nodiscard]] int wait_a_second() const { return wait(1'000); }

 private:
  sigset_t set_{};
};

http::ServerOptions http_options(const Settings& settings, const auth::Authority& authority, Traffic& traffic) {
  http::ServerOptions options;
  options.listen = settings.listen;
  const bool own = settings.certificate_file.empty();
  options.certificate_file = certificate_file_of(settings, authority);
  options.key_file = own ? authority.server_key_file() : settings.key_file;
  options.client_ca_file = authority.ca_file();
  if (own) options.chain_ca_file = authority.ca_file();
  options.limits = settings.http;
  options.refusals = settings.api.refusals;
  options.observer = [&traffic](const http::Answered& answered) { traffic.note(answered); };
  options.stop_grace_ms = settings.drain_ms;
  return options;
}

// Everything that runs, in the order in which it ends: the last first.
struct Running {
  Traffic& traffic;
  api::Api& api;
  http::HttpsServer& server;
  Upkeep& upkeep;
  Housekeeping& housekeeping;
  CertificateWatch& certificates;
};

void reload(const Arguments& arguments, const Workplace& place, const Running& running, ServiceManager& manager) {
  manager.reloading();
  reload_settings(arguments.config_file, place.settings,
                  {running.api, running.server, *place.database.store, running.upkeep, running.housekeeping, running.traffic,
                   *place.settings.api.condition});
  running.certificates.reload();
  manager.ready(kServing);
}

void serve_until_told_to_stop(const Signals& signals, const Arguments& arguments, const Workplace& place, const Running& running,
                              ServiceManager& manager) {
  for (;;) {
    const int signal = signals.wait_a_second();
    if (signal == SIGHUP) {
      reload(arguments, place, running, manager);
    } else if (signal != 0) {
      log::info(std::string("stopping on ") + (signal == SIGTERM ? "SIGTERM" : "SIGINT"));
      return;
    }
    running.certificates.turn();
    running.housekeeping.turn();
    manager.turned();
  }
}

// Answers what is in flight, for the time of [limits] drain; a second signal ends that.
void drain(const Signals& signals, http::HttpsServer& server) {
  std::atomic<bool> done{false};
  std::thread stopping([&] {
    server.stop();
    done = true;
  });
  while (!done) {
    const int signal = signals.wait(kDrainLookMs);
    if (signal != SIGTERM && signal != SIGINT) continue;
    log::warn("stopping at once: connections close without their answers");
    server.hurry();
  }
  stopping.join();
}

Outcome serve(const Arguments& arguments) {
  const Signals signals;
  ServiceManager manager;
  manager.starting("Opening the database", kStartSeconds);
  PGA_TRY(Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kServer));
  Settings& settings = place.settings;
  store::Store& store = *place.database.store;
  api::Condition& condition = *settings.api.condition;
  PGA_TRY(const auto authority, auth::Authority::open(settings.data_dir, settings.names));
  PGA_TRY(const auto signer, auth::TokenSigner::open(settings.data_dir));
  if (!settings.key_file.empty()) PGA_CHECK(files::check_private_place(settings.key_file));
  PGA_TRY(const std::int64_t first_until, read_certificate_until(certificate_file_of(settings, *authority)));
  std::atomic<std::int64_t> certificate_until{first_until};
  settings.api.certificate_until_unix_ns = &certificate_until;
  settings.api.version = PGANALYTICS_VERSION;
  Traffic traffic;
  use_process_settings(settings, traffic, condition);
  api::Api api(store, *authority, *signer, settings.api);
  PGA_TRY(const auto server, http::HttpsServer::start(http_options(settings, *authority, traffic), std::ref(api)));
  PGA_TRY(const auto collectors, store.collectors());
  log::info("pganalytics-server " PGANALYTICS_VERSION " listens on " + settings.listen + "; CA " + authority->ca_file() + "; " +
            std::to_string(collectors.size()) + " collectors registered");
  Housekeeping housekeeping(place.database, *settings.api.refusals, *signer, settings.signing_key_life_ms);
  PGA_TRY(const auto upkeep, Upkeep::start(store, settings.data_dir, settings.roll_ups, condition));
  PGA_TRY(auto forwarders, forward::start_forwarders(store, settings.forwards));
  const MetricSources sources{*server,    *settings.api.refusals,      traffic, *settings.api.pushes, store, *upkeep, condition,
                              forwarders, place.database.cluster.get()};
  std::unique_ptr<telemetry::MetricsEndpoint> metrics;
  if (const auto& listen = settings.metrics_listen) {
    const auto text = [&sources] { return std::make_shared<const std::string>(server_metrics(sources)); };
    PGA_TRY(metrics, telemetry::MetricsEndpoint::open(listen->host, listen->port, text));
  }
  CertificateWatch certificates(settings, *authority, *server, certificate_until);
  RevocationWatch revocations(api, *server);
  manager.ready(kServing);
  serve_until_told_to_stop(signals, arguments, place, {traffic, api, *server, *upkeep, housekeeping, certificates}, manager);
  condition.draining = true;
  manager.stopping(kStopSeconds);
  upkeep->stop();
  forward::stop(forwarders);
  drain(signals, *server);
  revocations.stop();  // may wait for a database that says nothing, as long as requests did meanwhile
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
