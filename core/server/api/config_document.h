// The configuration that an admin gives to one collector, checked before it is stored.
//
// What is stored is whole and canonical: every key is there (defaults filled in), plugins go by their ids, intervals are
// durations. An empty list or object leaves the choice to the collector's own file. Not here: storing, and the plugins' own keys,
// which the collector checks against their schemas. [any thread]
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::api {

struct ConfigDocument {
  std::string json;                      // without "version"
  std::optional<std::uint64_t> version;  // if the text had one: the version it was edited from
};

// Whether the collector is known to run a plugin that does not come with the product. An error ends the reading.
using KnowsPlugin = std::function<Expected<bool>(const std::string& id)>;

// PGA_E_CONFIG: the message begins with the path of the key ("intervals.pg_statz: ...").
Expected<ConfigDocument> read_config(std::string_view text, const KnowsPlugin& knows_plugin);

// What holds while nobody has given anything: version 0.
std::string default_config();

// The document as it is served: "version" first.
std::string with_version(std::uint64_t version, std::string_view json);

}  // namespace pganalytics::server::api
