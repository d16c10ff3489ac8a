// SIGHUP: the settings file read again, what can be changed while the server runs put in force, the rest told by name.
//
// A file with a mistake changes nothing. Not here: the TLS files (certificate_watch.h). [main thread]
#pragma once

#include "core/server/api/api.h"
#include "core/server/http/https_server.h"
#include "core/server/program/housekeeping.h"
#include "core/server/program/settings.h"
#include "core/server/program/traffic.h"
#include "core/server/program/upkeep.h"
#include "core/server/store/store.h"

#include <optional>
#include <string>
#include <vector>

namespace pganalytics::server::program {

// What of the two differs and needs a restart: "server.listen". In the file's order.
std::vector<std::string> changes_for_a_restart(const Settings& now, const Settings& next);

// Level, format, limits of health, file descriptors: what has no owner but the process.
void use_process_settings(const Settings& settings, Traffic& traffic, api::Condition& condition);

struct Reloadable {
  api::Api& api;
  http::HttpsServer& server;
  store::Store& store;
  Upkeep& upkeep;
  Housekeeping& housekeeping;
  Traffic& traffic;
  api::Condition& condition;
};

// `started`: what the server was started with, and goes on with where a restart is needed.
void reload_settings(const std::optional<std::string>& file, const Settings& started, const Reloadable& parts);

}  // namespace pganalytics::server::program
