// The older versions of a collector's configuration, and the way back to one: as the API and `pganalytics-server config` have
// them. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::server::api {

// {"versions": [{"version", "at", "actor", "bytes", "changed", "restores"}]}, newest first.
std::string to_json(const std::vector<store::ConfigVersion>& versions);

// Version 0 is the built-in default. PGA_E_NOTFOUND, "store.config_version": nobody gave it, or it is not kept any more.
Expected<store::ConfigRow> config_of_version(store::Store& store, const std::string& collector_id, std::uint64_t version);

// Gives the document of that version again, as a new version, if today's rules for configurations take it: a plugin may not be
// known any more. Returns what is stored now. PGA_E_CONFIG: they do not; the message begins with the path of the key.
Expected<store::ConfigRow> restore_config(store::Store& store, const std::string& collector_id, std::uint64_t version,
                                          const store::AuditEntry& entry);

}  // namespace pganalytics::server::api
