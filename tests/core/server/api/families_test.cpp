// What can be asked: families, page by page, and one by its name.
#include "tests/core/server/api/viewed_rows.h"
#include "tests/support/catch.h"

using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

struct Fixture : ViewedRows {
  http::Response get(const std::string& target) { return ViewedRows::get("/api/v1/families" + target); }
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

TEST_CASE("families say what they take on the disk where that is asked for") {
  Fixture fixture;
  const std::string table = fixture.rows.family("pg_table", {"table_name"}, {{"n_live_tup", "gauge", "{row}"}});
  fixture.rows.family("pg_index", {"index_name"}, {{"idx_scan", "counter", ""}});
  fixture.rows.points(fixture.rows.series(table, fixture.db1, "'orders'"), 1'770'091'200, 60, 1'000, "i");
  const auto all = parsed(fixture.get("?sizes=true"));
  REQUIRE(all["families"].Size() == 2);
  const auto &none = all["families"][0]["size"], &some = all["families"][1]["size"];
  CHECK(some["series"] == 1);
  CHECK(some["point_bytes"].GetInt64() > 1'000 * 32);
  CHECK(some["bytes"] == some["point_bytes"]);
  CHECK(some["rollup_bytes"] == 0);
  CHECK(some["event_bytes"] == 0);
  CHECK(none["series"] == 0);
  CHECK(none["bytes"] == 0);
  for (const char* query : {"", "?sizes=false"}) CHECK_FALSE(parsed(fixture.get(query))["families"][0].HasMember("size"));
  CHECK(error_message(fixture.get("?sizes=yes")).rfind("sizes: ", 0) == 0);
}

TEST_CASE("sizes that take too long are refused, and families are told without") {
  Fixture fixture;
  fixture.rows.family("pg_table", {}, {{"x", "gauge", "1"}});
  // The error is that of statement_timeout.
  fixture.rows.sql(
      "create or replace function pganalytics.disk_bytes(of_table regclass) returns bigint language plpgsql as $$ begin"
      " raise exception 'canceling statement due to statement timeout' using errcode = 'query_canceled'; end $$");
  const auto answer = fixture.get("?sizes=true");
  CHECK(answer.status == 422);
  CHECK(error_code(answer) == "query_too_costly");
  CHECK(fixture.get("").status == 200);
}

TEST_CASE("a family that is not there is told with the nearest that is") {
  Fixture fixture;
  CHECK(error_message(fixture.get("/pg_table")) == "there is no family of this name; GET /api/v1/families lists them");
  for (const char* name : {"pg_table", "pg_index", "disk_errors"}) fixture.rows.family(name, {}, {{"x", "gauge", "1"}});
  const auto near = fixture.get("/pg_tabel");
  CHECK(near.status == 404);
  CHECK(error_message(near) == "there is no family of this name; did you mean \"pg_table\"?");
  CHECK(error_message(fixture.get("/weather")) == "there is no family of this name; GET /api/v1/families lists them");
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
