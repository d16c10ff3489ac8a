// docs/STORAGE.md: each example is run against a database as the page describes it.
#include "core/files/files.h"
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

std::vector<std::string> examples() {
  const std::string page = must(files::read(std::string(PGANALYTICS_SOURCE_DIR) + "/docs/STORAGE.md"));
  const std::string begin = "```sql\n";
  std::vector<std::string> found;
  for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at)) {
    at += begin.size();
    found.push_back(page.substr(at, page.find("```", at) - at));
  }
  return found;
}

}  // namespace

TEST_CASE("the examples of docs/STORAGE.md run and answer") {
  StoreFixture fixture;
  const std::string id = fixture.enrol();
  const Plugin loadavg =
      add_plugin(fixture.store(), "example_loadavg",
                 must(files::read(std::string(PGANALYTICS_SOURCE_DIR) + "/sdk/examples/c/output.schema.json")));
  const std::int64_t now = std::stoll(fixture.value("select extract(epoch from now())::bigint")) * kSecond;
  push_rows(fixture.store(), loadavg, id, 1, {R"({"type":"example_loadavg","load1":0.5,"tasks":10})"}, now - 90 * kSecond);
  push_rows(fixture.store(), loadavg, id, 2, {R"({"type":"example_loadavg","load1":1.5,"tasks":14})"}, now - 30 * kSecond);

  const auto all = examples();
  REQUIRE(all.size() == 7);
  const std::string role = "grafana_" + fixture.database();
  std::string grants = all[0];
  for (auto at = grants.find("grafana"); at != std::string::npos; at = grants.find("grafana", at + role.size()))
    grants.replace(at, 7, role);
  fixture.server().sql(fixture.database(), grants);
  for (const std::string& example : all) {
    if (example != all[0]) CHECK_NOTHROW(fixture.server().sql(fixture.database(), example));
  }
  CHECK(fixture.value("set role " + role + ";" + all[2]) == "db1");
  CHECK(fixture.value("select load1 from (" + all[2].substr(0, all[2].rfind(';')) + ") newest") == "1.5");
  CHECK(fixture.value("select sum(growth) from (" + all[4].substr(0, all[4].rfind(';')) + ") growths") == "4");
  CHECK(fixture.value("select points from (" + all[6].substr(0, all[6].rfind(';')) + ") sizes where view = 'example_loadavg'") ==
        "2");
  // A view of later is the reader's, too.
  add_plugin(fixture.store(), "disk", kTablesSchema);
  CHECK(fixture.value("set role " + role + "; select count(*) from metrics.pg_table") == "0");
}
