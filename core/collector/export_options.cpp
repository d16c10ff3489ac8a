#include "core/collector/export_options.h"

#include "collector_embedded.h"
#include "core/collector/plugin_facts.h"
#include "core/exporters/otlp_json.h"
#include "core/exporters/remote_write.h"
#include "core/log/log.h"
#include "core/transport/exported_destination.h"

#include <utility>

namespace pganalytics::collector {
namespace {

Expected<std::string> bearer_header(const config::CollectorConfig& config, const std::string& name) {
  PGA_TRY(const auto token, read_secret(config, name));
  const bool is_line = token && !token->empty() && token->find_first_of("\r\n") == std::string::npos;
  if (is_line) return "Authorization: Bearer " + *token;
  return Error{PGA_E_CONFIG, "output.secret",
               "the secret '" + name + "' of [output] bearer_token is " + (token ? "no token" : "not there"),
               "Write it to secrets/" + name + " beside the configuration file, closed to others (0600).", 0};
}

std::unique_ptr<exporters::Exporter> exporter_of(const config::CollectorConfig& config, const Catalogue& catalogue) {
  const config::OutputConfig& output = *config.pushed_output;
  const auto schemas = exported_schemas(catalogue);
  if (output.protocol == config::OutputConfig::Protocol::kOtlp) {
    return std::make_unique<exporters::OtlpJson>(PGANALYTICS_VERSION, schemas, output.families);
  }
  return std::make_unique<exporters::RemoteWrite>(schemas, output.families);
}

}  // namespace

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

Expected<std::unique_ptr<transport::Destination>> open_pushed_output(const config::CollectorConfig& config,
                                                                     const Catalogue& catalogue) {
  if (!config.pushed_output) return std::unique_ptr<transport::Destination>();
  const config::OutputConfig& output = *config.pushed_output;
  exporters::ExportTarget target;
  target.url = output.url;
  target.ca_file = output.ca_file;
  target.proxy = output.proxy;
  target.headers = output.headers;
  if (!output.bearer_token_secret.empty()) {
    PGA_TRY(std::string header, bearer_header(config, output.bearer_token_secret));
    target.headers.push_back(std::move(header));
  }
  target.timeout_ms = config.push_timeout_ms;
  target.user_agent = std::string("pganalytics/") + PGANALYTICS_VERSION;
  return transport::open_exported_destination(config.name, std::move(target), exporter_of(config, catalogue));
}

}  // namespace pganalytics::collector
