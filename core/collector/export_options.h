// What the exporters (core/exporters) are told: the configuration, and the schemas of whatever emits documents here.
//
// [main thread]
#pragma once

#include "core/collector/catalogue.h"
#include "core/config/collector_config.h"
#include "core/exporters/scrape_endpoint.h"
#include "core/transport/destination.h"

#include <memory>
#include <pganalytics/expected.hpp>
#include <vector>

namespace pganalytics::collector {

// Of the usable plugins, and of the collector's own documents.
std::vector<exporters::PluginSchema> exported_schemas(const Catalogue& catalogue);

// With [prometheus] only.
exporters::ExpositionOptions exposition_options(const config::CollectorConfig& config, const Catalogue& catalogue);

// nullptr: the configuration has no [prometheus].
Expected<std::unique_ptr<exporters::ScrapeEndpoint>> open_scrape_endpoint(const config::CollectorConfig& config,
                                                                          const Catalogue& catalogue);

// nullptr: the configuration has no [output.*]. PGA_E_CONFIG: its CA, its secret or its address is not usable.
Expected<std::unique_ptr<transport::Destination>> open_pushed_output(const config::CollectorConfig& config,
                                                                     const Catalogue& catalogue);

}  // namespace pganalytics::collector
