#include "core/server/forward/current_exporter.h"

#include "core/exporters/otlp_json.h"
#include "core/exporters/remote_write.h"
#include "forward_embedded.h"

namespace pganalytics::server::forward {

CurrentExporter::CurrentExporter(store::Store& store, config::ReceiverConfig receiver)
    : store_(store), receiver_(std::move(receiver)) {}

Expected<exporters::Exporter*> CurrentExporter::get(const Digests& newest) {
  if (exporter_ == nullptr || newest != known_) PGA_CHECK(make(newest));
  return exporter_.get();
}

Outcome CurrentExporter::make(const Digests& newest) {
  // Collectors do not send the schema of their own documents: it is that of this version.
  std::vector<exporters::PluginSchema> schemas = {{"collector", embedded::collector_schema_json}};
  for (const auto& [plugin, sha256] : newest) {
    PGA_TRY(const auto schema, store_.find_schema(plugin, sha256));
    if (schema && plugin != "collector") schemas.push_back({plugin, schema->text});
  }
  if (receiver_.protocol == config::ReceiverConfig::Protocol::kOtlp) {
    exporter_ = std::make_unique<exporters::OtlpJson>(PGANALYTICS_VERSION, schemas, receiver_.families);
  } else {
    exporter_ = std::make_unique<exporters::RemoteWrite>(schemas, receiver_.families);
  }
  known_ = newest;
  return {};
}

}  // namespace pganalytics::server::forward
