// docs/METRICS.md is made of the schemas. After a change of one: PGANALYTICS_REGENERATE=1 build/tests/test_core_collector
// '[metrics]'
#include "core/collector/plugin/reference_page.h"
#include "core/schema/json_text.h"
#include "core/schema/schema.h"
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <cstdlib>
#include <filesystem>
#include <map>

using namespace pganalytics;
using namespace pganalytics::collector_test;
using testing::must;

namespace {

const std::string kSource = PGANALYTICS_SOURCE_DIR;

constexpr const char* kHead =
    "# Metrics\n\n"
    "What each document says: generated from the schemas that check it. `pganalytics plugin describe ID --markdown` prints the "
    "same of any\n"
    "plugin, its configuration's keys beside it. A field is a gauge (a value of its moment), a counter (only grows, begins again "
    "at 0), an updown\n"
    "(a counter that may fall), a label (part of a series' name), info or an event. Units are UCUM's. `null`: not known, and "
    "`errors` says why.\n"
    "\"since\" and \"source\" speak of what is measured: for pg_stats the first major of PostgreSQL that has it, and the column "
    "or "
    "function it comes from.\n";

std::map<std::string, std::string> schema_files() {
  std::map<std::string, std::string> files;
  for (const auto& folder : std::filesystem::directory_iterator(kSource + "/plugins")) {
    const auto file = folder.path() / "output.schema.json";
    if (std::filesystem::exists(file)) files.emplace(folder.path().filename().string(), file.string());
  }
  return files;
}

std::string section(const std::string& title, const std::string& file) {
  const auto schema = must(schema::parse_json(read_text(file)));
  std::string fields = collector::fields_markdown(schema);
  return "\n## " + title + "\n\n" + fields;
}

}  // namespace

TEST_CASE("docs/METRICS.md is what the schemas say", "[metrics]") {
  std::string page = kHead;
  for (const auto& [id, file] : schema_files()) page += section(id, file);
  page += section("collector", kSource + "/core/collector/collector.schema.json");
  if (std::getenv("PGANALYTICS_REGENERATE") != nullptr) write_text(kSource + "/docs/METRICS.md", page);
  INFO("regenerate it: PGANALYTICS_REGENERATE=1 build/tests/test_core_collector '[metrics]'");
  CHECK((read_text(kSource + "/docs/METRICS.md") == page));
}
