// All that is known of one collector: GET /api/v1/collectors/{id}, and `pganalytics-server collector show`. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <pganalytics/json.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::api {

// A plugin as the collector's newest report about itself has it (docs/METRICS.md, family collector_plugin).
struct PluginState {
  std::string plugin;
  std::string version;  // "" = its file is refused
  std::string state;
};

struct CollectorDetail {
  store::CollectorRow row;
  std::optional<store::ConfigStatus> status;  // nullopt: it never said
  std::uint64_t config_version = 0;           // of the newest configuration that it was given; 0 = none
  std::int64_t retention_days = 0;            // by that configuration
  std::vector<PluginState> plugins;           // none before its first report, or once that is forgotten
};

// PGA_E_NOTFOUND. `store` blocks.
Expected<CollectorDetail> read_collector_detail(store::Store& store, const std::string& collector_id);

// The members that a list has of each collector, too, without the braces around them. status nullptr: it never said.
void write_members(JsonWriter& json, const store::CollectorRow& row, const store::ConfigStatus* status);
std::string to_json(const CollectorDetail& detail);

}  // namespace pganalytics::server::api
