// What can be asked: families, page by page, and one by its name.
#include "tests/core/server/api/api_under_test.h"
#include "tests/core/server/series_by_sql.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;
using pganalytics::testing::PostgresServer;
using pganalytics::testing::SeriesBySql;

namespace {

struct Fixture {
  ApiUnderTest test;
  std::string viewer = test.key(store::Role::kViewer);
  SeriesBySql rows{PostgresServer::shared(), test.database};

  http::Response get(const std::string& target) {
    return test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/families" + target)));
  }
};

}  // namespace

TEST_CASE("a family says its labels, fields, units and what they mean") {
  Fixture fixture;
  const std::string id = fixture.rows.family("pg_table", {"schema_name", "table_name"},
                                             {{"n_live_tup", "gauge", "{row}"}, {"seq_scan", "counter", ""}});
  fixture.rows.sql("insert into pganalytics.family_members (family_id, role, position, name, ordinal, column_name) values (" +
                   id + ", 'fact', 1, 'owner', 99, 'owner')");
  const auto answer = fixture.get("/pg_table");
  CHECK(answer.status == 200);
  CHECK(answer.body ==
        R"({"family":"pg_table","plugin":"pg_stats","name":"pg_table","description":"Rows of pg_table.","is_events":false,)"
        R"("labels":[{"name":"schema_name","description":"What schema_name says."},)"
        R"({"name":"table_name","description":"What table_name says."}],)"
        R"("fields":[{"name":"n_live_tup","kind":"gauge","unit":"{row}","description":"What n_live_tup says."},)"
        R"({"name":"seq_scan","kind":"counter","unit":null,"description":"What seq_scan says."}],)"
        R"("facts":[{"name":"owner","description":""}]})");
  const auto all = parsed(fixture.get(""));
  REQUIRE(all["families"].Size() == 1);
  CHECK(all["families"][0] == parsed(answer));
  CHECK_FALSE(all.HasMember("next_cursor"));
}

TEST_CASE("pages of families hold each once, in the order of their names, and one plugin's alone if it is named") {
  Fixture fixture;
  for (const char* name : {"zeta", "Alpha", "beta_2", "beta", "gamma"}) fixture.rows.family(name, {}, {{"x", "gauge", "1"}});
  fixture.rows.family("logs_entries", {"severity"}, {}, "logs", true);
  std::string names, cursor;
  do {
    const auto page = parsed(fixture.get("?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const auto& family : page["families"].GetArray()) names += std::string(family["family"].GetString()) + " ";
    cursor = page.HasMember("next_cursor") ? page["next_cursor"].GetString() : "";
  } while (!cursor.empty());
  CHECK(names == "Alpha beta beta_2 gamma logs_entries zeta ");
  const auto logs = parsed(fixture.get("?plugin=pg_logs"));
  REQUIRE(logs["families"].Size() == 1);
  CHECK(logs["families"][0]["is_events"] == true);
  CHECK(logs["families"][0]["fields"].Empty());
  CHECK(fixture.get("?plugin=none").body == R"({"families":[]})");
}

TEST_CASE("a family that is not there is 404, a bad parameter 400, and neither is SQL") {
  Fixture fixture;
  for (const char* name : {"pg_table", "'%20OR%20true--", "%22", "x;y", "\xC3\xA4"}) {
    CAPTURE(name);
    const auto answer = fixture.get(std::string("/") + name);
    CHECK(answer.status == 404);
    CHECK(error_code(answer) == "no_such_family");
  }
  CHECK(error_message(fixture.get("?limit=0")).rfind("limit: ", 0) == 0);
  CHECK(error_message(fixture.get("?plugins=x")) == "plugins: unknown parameter; did you mean \"plugin\"?");
  CHECK(error_message(fixture.get("?cursor='%20OR%20true--")) == "cursor: is not from this list");
  CHECK(fixture.test.ask(ApiUnderTest::request("GET", "/api/v1/families")).status == 401);
}
