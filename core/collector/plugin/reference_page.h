// A plugin's reference page as Markdown: what it is, the keys of its configuration, the fields of its documents.
//
// `plugin describe --markdown` prints it, docs/METRICS.md is made of fields_markdown() of the first-party plugins. A plugin's
// texts are foreign: they cannot break out of their table cell. Pure functions. [any thread]
#pragma once

#include "core/host/plugin_info.h"

#include <rapidjson/document.h>

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::collector {

// PGA_E_CONFIG when one of its schemas is no JSON.
Expected<std::string> page_markdown(const host::PluginInfo& plugin);

// A table row per key.
std::string keys_markdown(const rapidjson::Document& config_schema);
// A table of the document's fields, then one of each array of objects inside it, outermost first.
std::string fields_markdown(const rapidjson::Document& output_schema);

}  // namespace pganalytics::collector
