// What the collector says of itself: the "collector" document, and the same figures for `status`.
//
// What each member means stands in collector.schema.json, which a test holds this to. Pure: figures in, JSON out. [any thread]
#pragma once

#include "core/collector/remote_record.h"
#include "core/host/supervisor.h"
#include "core/spool/spool.h"
#include "core/transport/delivery.h"

#include <cstdint>
#include <optional>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::collector {

struct SelfReport {
  std::int64_t unix_ns = 0;
  std::string version;
  std::vector<host::PluginHealth> plugins;  // those that cannot run because their file is refused too, as "refused"
  spool::SpoolStatus spool;
  std::vector<spool::Loss> losses;
  std::optional<transport::DeliveryStatus> delivery;  // without [backend]: none
  std::uint64_t remote_version = 0;                   // of the configuration in force; 0: the local one
  std::optional<RemoteRecord::Newest> newest_config;  // what became of the server's newest one; nullopt: there was none
};

// The plugin collects nothing until somebody or time changes something: failed, quarantined, hung, refused.
bool is_trouble(std::string_view state);

// {"type":"collector","timestamp",...}
std::string to_document(const SelfReport& report);

void write_json(JsonWriter& json, const spool::SpoolStatus& status);
void write_json(JsonWriter& json, const std::vector<spool::Loss>& losses);

}  // namespace pganalytics::collector
