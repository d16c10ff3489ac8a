// The documents of a push by the instances that emitted them, as an exporter wants them.
//
// A collector's own exporter knows which instance it asks; a push does not say. Documents that have it in a member `instance`, as
// those of pg_stats do, are told apart by it; all others are the plugin's. Pure functions. [any thread]
#pragma once

#include "core/exporters/exporter.h"
#include "core/server/store/forward_line.h"

#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::forward {

// "pg_stats@prod2" for a document of pg_stats with {"instance":"prod2"}; the type alone if it says none, or what is no name of
// one.
std::string instance_of(const std::string& type, std::string_view document);

// In the order of the documents; those of one instance together.
std::vector<exporters::Emitted> emitted_of(const store::ForwardPush& push, std::vector<store::ForwardDocument> documents);

}  // namespace pganalytics::server::forward
