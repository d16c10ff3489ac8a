#include "core/config/export_config.h"

#include <utility>

namespace pganalytics::config {
namespace {

constexpr Range kStaleAfter{1'000, 86'400'000};
constexpr const char* kListenHint = "Give it as \"127.0.0.1:9187\".";

FamilyChoice read_families(TableReader& table) {
  FamilyChoice families;
  families.include = table.strings("include", families.include);
  families.exclude = table.strings("exclude", {});
  return families;
}

}  // namespace

std::optional<PrometheusConfig> read_prometheus(TableReader& root) {
  TableReader table = root.table("prometheus");
  if (!root.has("prometheus")) return std::nullopt;
  PrometheusConfig prometheus;
  if (const auto text = table.string("listen")) {
    if (auto address = ListenAddress::parse(*text)) {
      prometheus.listen = std::move(address).value();
    } else {
      table.problem("listen", address.error().message, address.error().hint);
    }
  } else if (!table.has("listen")) {
    root.problem("prometheus", "lacks its key 'listen'", kListenHint);
  }
  prometheus.stale_after_ms = table.duration_ms("stale_after", prometheus.stale_after_ms, kStaleAfter);
  prometheus.families = read_families(table);
  table.finish();
  return prometheus;
}

}  // namespace pganalytics::config
