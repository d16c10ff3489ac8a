#include "core/exporters/plugin_metrics.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace pganalytics;
using namespace pganalytics::exporters;
using Catch::Contains;
using testing::must;

namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<PluginSchema> schemas_of_the_tree() {
  const std::filesystem::path source(PGANALYTICS_SOURCE_DIR);
  std::vector<PluginSchema> schemas = {{"collector", read_text(source / "core/collector/collector.schema.json")}};
  for (const auto& plugin : std::filesystem::directory_iterator(source / "plugins")) {
    if (exists(plugin.path() / "output.schema.json")) {
      schemas.push_back({plugin.path().filename(), read_text(plugin.path() / "output.schema.json")});
    }
  }
  return schemas;
}

}  // namespace

TEST_CASE("each family's fields and times are metrics, with kind and help") {
  const PluginMetrics metrics = must(PluginMetrics::of({"acme", exporters_test::kAcmeSchema}));
  const auto& families = metrics.metrics();
  const auto queue =
      std::find_if(families.begin(), families.end(), [](const MetricFamily& family) { return family.name == "acme_queue"; });
  REQUIRE(queue != families.end());
  CHECK(queue->labels == std::vector<std::string>{"exported_instance", "name"});
  std::string told;
  for (const Metric& metric : queue->metrics) told += metric.name.name + (metric.is_counter ? " counter\n" : " gauge\n");
  CHECK(told ==
        "acme_queue_waiting gauge\nacme_queue_is_open gauge\nacme_queue_delivered_total counter\nacme_queue_age_seconds gauge\n"
        "acme_queue_balance_bytes gauge\nacme_queue_opened_timestamp_seconds gauge\n");
}

TEST_CASE("the collector's own metrics bear the program's name") {
  const std::string schema = read_text(std::filesystem::path(PGANALYTICS_SOURCE_DIR) / "core/collector/collector.schema.json");
  const PluginMetrics metrics = must(PluginMetrics::of({"collector", schema}));
  std::set<std::string> names;
  for (const MetricFamily& family : metrics.metrics()) {
    for (const Metric& metric : family.metrics) names.insert(metric.name.name);
  }
  CHECK(names.count("pganalytics_collector_plugin_runs_total") == 1);
  CHECK(names.count("pganalytics_collector_plugin_duration_seconds_total") == 0);
  CHECK(names.count("pganalytics_collector_plugin_total_duration_seconds_total") == 1);
  CHECK(names.count("pganalytics_collector_spool_waiting_bytes") == 1);
}

TEST_CASE("every plugin of this tree has names that Prometheus takes, each once") {
  const std::regex name("[a-zA-Z_][a-zA-Z0-9_]*");
  std::set<std::string> metrics;
  for (const PluginSchema& schema : schemas_of_the_tree()) {
    const PluginMetrics plugin = must(PluginMetrics::of(schema));
    for (std::size_t i = 0; i < plugin.metrics().size(); ++i) {
      const MetricFamily& family = plugin.metrics()[i];
      std::size_t numbers = plugin.families().all()[i].fields.size();
      for (const auto& fact : plugin.families().all()[i].facts) numbers += fact.is_time ? 1 : 0;
      CAPTURE(schema.plugin, family.name);
      CHECK(family.metrics.size() == numbers);  // none was left out for another's name
      for (const Metric& metric : family.metrics) {
        CAPTURE(metric.name.name);
        CHECK(std::regex_match(metric.name.name, name));
        CHECK(metrics.insert(metric.name.name).second);
      }
      const std::set<std::string> labels(family.labels.begin(), family.labels.end());
      CHECK(labels.size() == family.labels.size());
      for (const std::string& label : labels) CHECK(std::regex_match(label, name));
    }
  }
  CHECK(metrics.count("sysstat_cpu_user") == 1);      // of one
  CHECK(metrics.count("sysstat_cpu_user_all") == 1);  // of the machine
  CHECK(metrics.count("pg_tables_seq_scans_total") == 1);
}

TEST_CASE("two fields of one name: the first is exported; two labels of one name: both are") {
  const PluginMetrics metrics = must(PluginMetrics::of({"acme", R"({"type":"object","additionalProperties":false,"properties":{
    "exported_job":{"type":"string","x-kind":"label"},"job":{"type":"string","x-kind":"label"},
    "wait_ms":{"type":"number","x-kind":"gauge","x-unit":"ms"},"wait_seconds":{"type":"number","x-kind":"gauge","x-unit":"s"}}})"}));
  REQUIRE(metrics.metrics().size() == 1);
  CHECK(metrics.metrics()[0].metrics.size() == 1);
  CHECK(metrics.metrics()[0].metrics[0].name.divide_by == 1000);
  CHECK(metrics.metrics()[0].labels == std::vector<std::string>{"exported_job", "exported_exported_job"});
}

TEST_CASE("what is no output schema is refused") {
  const auto refused = PluginMetrics::of({"acme", "{"});
  REQUIRE(!refused);
}
