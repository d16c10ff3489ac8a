#include "core/collector/export_options.h"

#include "collector_embedded.h"
#include "core/log/log.h"

#include <utility>

namespace pganalytics::collector {

std::vector<exporters::PluginSchema> exported_schemas(const Catalogue& catalogue) {
  std::vector<exporters::PluginSchema> schemas = {{"collector", embedded::collector_schema_json}};
  for (const Catalogue::Entry& entry : catalogue.entries()) {
    if (entry.info && !entry.refused) schemas.push_back({entry.info->id, entry.info->output_schema});
  }
  return schemas;
}

exporters::ExpositionOptions exposition_options(const config::CollectorConfig& config, const Catalogue& catalogue) {
  exporters::ExpositionOptions options;
  options.collector = config.name;
  options.stale_after_ms = config.prometheus->stale_after_ms;
  options.families = config.prometheus->families;
  options.schemas = exported_schemas(catalogue);
  return options;
}

Expected<std::unique_ptr<exporters::ScrapeEndpoint>> open_scrape_endpoint(const config::CollectorConfig& config,
                                                                          const Catalogue& catalogue) {
  if (!config.prometheus) return std::unique_ptr<exporters::ScrapeEndpoint>();
  const config::ListenAddress& listen = config.prometheus->listen;
  PGA_TRY(auto endpoint, exporters::ScrapeEndpoint::open(listen, exposition_options(config, catalogue)));
  const std::string where = listen.host + " port " + std::to_string(endpoint->port());
  log::info("Prometheus may scrape /metrics on " + where);
  if (!listen.is_loopback) {
    log::warn("whoever reaches " + where +
              " can read all metrics, in clear and without a password: [prometheus] listen is meant for the loopback address");
  }
  return endpoint;
}

}  // namespace pganalytics::collector
