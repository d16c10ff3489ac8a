#include "core/collector/spool_options.h"

#include "core/collector/plugin_facts.h"
#include "core/transport/identity.h"

namespace pganalytics::collector {

spool::SpoolCaps caps_of(const config::SpoolConfig& config) {
  return {config.max_bytes, config.max_age_ms, config.keep_free_bytes};
}

spool::SpoolOptions spool_options(const config::CollectorConfig& config, const std::string& collector_id) {
  spool::SpoolOptions options;
  static_cast<spool::SpoolCaps&>(options) = caps_of(config.spool);
  options.encoding = config.compression;
  options.collector_id = collector_id;
  options.hostname = host_name();
  options.version = PGANALYTICS_VERSION;
  return options;
}

Expected<std::string> spool_owner(const std::string& state_dir) {
  auto identity = transport::Identity::load(state_dir);
  if (identity) return std::move(identity->collector_id);
  if (identity.error().status == PGA_E_NOTFOUND) return std::string();
  return std::move(identity).error();
}

Expected<std::unique_ptr<spool::Spool>> open_spool_to_change(const config::CollectorConfig& config) {
  PGA_TRY(const std::string owner, spool_owner(config.state_dir));
  spool::SpoolOptions options = spool_options(config, owner);
  options.disk_only = true;
  return spool::Spool::open(config.state_dir, options);
}

}  // namespace pganalytics::collector
