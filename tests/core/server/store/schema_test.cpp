// Schemas in the database: families, how they grow, their views.
#include "core/schema/schema.h"
#include "core/crypto/digest.h"
#include "tests/core/server/store/rows_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::testing;

namespace {

// A family `x-family` of objects with these members.
std::string list_schema(const std::string& family, const std::string& members) {
  return R"({"type":"object","properties":{"items":{"type":"array","x-family":")" + family +
         R"(","items":{"type":"object","properties":{)" + members + "}}}}}";
}

const std::string kName = R"("name":{"type":"string","x-kind":"label"})";
const std::string kSize = R"("size":{"type":"integer","x-kind":"gauge","x-unit":"By","description":"How large"})";
const std::string kCount = R"("count":{"type":"integer","x-kind":"counter","x-unit":"1"})";

struct Views : StoreFixture {
  std::string columns(const std::string& view) {
    return value("select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'metrics." + view +
                 "'::regclass");
  }
};

}  // namespace

TEST_CASE("a family's view has named, commented columns, whatever the descriptions say") {
  Views views;
  add_plugin(views.store(), "acme_x", kTablesSchema);
  CHECK(views.columns("pg_table") == "time collector collector_id name owner size_bytes scans definition");
  const auto comment = [&](int column) {
    return views.value("select col_description('metrics.pg_table'::regclass, " + std::to_string(column) + ")");
  };
  CHECK(views.value("select obj_description('metrics.pg_table'::regclass)") == "Tables, \"quoted\" and 'quoted'");
  CHECK(comment(4) == "Of the table's");
  CHECK(comment(6) == "It's size; drop table x; -- (gauge, By)");
  CHECK(comment(7) == "(counter, {scan})");
  CHECK(views.columns("acme_x_errors") == "id time collector collector_id event scope");
}

TEST_CASE("a reader needs nothing of pganalytics") {
  Views views;
  const Plugin plugin = add_plugin(views.store(), "disk", kTablesSchema);
  push_rows(views.store(), plugin, views.enrol(), 1,
            {R"({"tables":[{"name":"a","scans":1,"definition":")" + std::string(600, 'd') + "\"}]}"});
  views.server().sql(views.database(), "create role grafana_" + views.database() + "; grant usage on schema metrics to grafana_" +
                                           views.database() + "; grant select on all tables in schema metrics to grafana_" +
                                           views.database());
  CHECK(views.value("set role grafana_" + views.database() + "; select length(definition) from metrics.pg_table") == "600");
}

TEST_CASE("a later version adds members at the end: old rows, old columns and grants stay") {
  Views views;
  const std::string id = views.enrol();
  const Plugin old = add_plugin(views.store(), "acme_x", list_schema("thing", kName + "," + kSize));
  push_rows(views.store(), old, id, 1, {R"({"items":[{"name":"a","size":1}]})"});
  const std::string kind = R"("kind":{"type":"string","x-kind":"label"})";
  const Plugin next = add_plugin(views.store(), "acme_x", list_schema("thing", kind + "," + kCount + "," + kName + "," + kSize));
  CHECK(views.columns("thing") == "time collector collector_id name size kind count");
  push_rows(views.store(), next, id, 2,
            {R"({"items":[{"name":"a","size":2,"count":20},{"name":"a","kind":"k","size":3,"count":30}]})"});
  push_rows(views.store(), old, id, 3, {R"({"items":[{"name":"a","size":4}]})"});  // a collector that is still of before
  CHECK(views.value("select string_agg(concat_ws('|', name, kind, size, count), ' ' order by size) from metrics.thing") ==
        "a|1 a|2|20 a|k|3|30 a|4");
  CHECK(views.value("select count(*) from pganalytics.series") == "2");  // a label that is not there changes no series
}

TEST_CASE("a member that changes its role is another member") {
  Views views;
  const std::string id = views.enrol();
  add_plugin(views.store(), "acme_x", list_schema("thing", kName + "," + kSize));
  const Plugin next = add_plugin(views.store(), "acme_x",
                                 list_schema("thing", R"("size":{"type":"string","x-kind":"label"},)" + kName + "," + kCount));
  push_rows(views.store(), next, id, 1, {R"({"items":[{"name":"a","size":"large","count":1}]})"});
  CHECK(views.columns("thing") == "time collector collector_id name size size_label count");
  CHECK(views.value("select concat_ws('|', name, coalesce(size::text, 'null'), size_label, count) from metrics.thing") ==
        "a|null|large|1");
}

TEST_CASE("two plugins with a family of one name have a view each") {
  Views views;
  add_plugin(views.store(), "acme_x", list_schema("thing", kName + "," + kSize));
  add_plugin(views.store(), "acme_y", list_schema("thing", kName + "," + kCount));
  CHECK(views.columns("thing") == "time collector collector_id name size");
  CHECK(views.columns("acme_y_thing") == "time collector collector_id name count");
}

TEST_CASE("a name that is taken, or longer than an identifier, gives way") {
  Views views;
  views.server().sql(views.database(), "create table metrics.thing (n int)");
  const std::string deep(70, 'n');
  add_plugin(views.store(), "acme_x",
             list_schema("thing", R"("time":{"type":"string","x-kind":"label"},"collector":{"type":"string","x-kind":"label"},)" +
                                      kSize + R"(,")" + deep + R"(1":{"type":"integer","x-kind":"gauge","x-unit":"1"},")" + deep +
                                      R"(2":{"type":"integer","x-kind":"gauge","x-unit":"1"})"));
  const std::string columns = views.columns("acme_x_thing");
  CHECK(columns.find("time collector collector_id time_label collector_label size " + std::string(54, 'n') + "_") == 0);
  CHECK(views.value("select count(*) from pg_attribute where attrelid = 'metrics.acme_x_thing'::regclass") == "8");
}

TEST_CASE("a family of facts only shows the newest of each row") {
  Views views;
  const Plugin plugin =
      add_plugin(views.store(), "acme_x", list_schema("setting", kName + R"(,"value":{"type":"string","x-kind":"info"})"));
  const std::string id = views.enrol();
  push_rows(views.store(), plugin, id, 1, {R"({"items":[{"name":"a","value":"1"},{"name":"b","value":"2"}]})"});
  push_rows(views.store(), plugin, id, 2, {R"({"items":[{"name":"a","value":"3"}]})"}, kStart + kSecond);
  CHECK(views.value("select string_agg(concat_ws('|', name, value), ' ' order by name) from metrics.setting") == "a|3 b|2");
}

TEST_CASE("two servers that learn schemas at once agree on families, positions and views") {
  Views views;
  const auto other = views.open_again();
  std::vector<std::string> schemas;
  for (int i = 0; i < 4; ++i) {
    schemas.push_back(list_schema(
        "thing", kName + R"(,"field)" + std::to_string(i) + R"(":{"type":"integer","x-kind":"gauge","x-unit":"1"},)" + kSize));
  }
  together(16, [&](int i) {
    add_plugin(i % 2 == 0 ? views.store() : *other, i % 8 < 4 ? "acme_x" : "acme_y", schemas[static_cast<std::size_t>(i % 4)]);
  });
  CHECK(views.value("select count(*) from pganalytics.schemas") == "8");
  CHECK(views.value("select count(*) from pganalytics.families") == "2");
  CHECK(views.value("select count(*) from pganalytics.family_members where role = 'field'") == "10");
  CHECK(views.value("select count(*) from pg_views where schemaname = 'metrics' and viewname in ('thing', 'acme_x_thing', "
                    "'acme_y_thing')") == "2");
}

TEST_CASE("a schema is found by its digest, or as its plugin's newest") {
  Views views;
  CHECK_FALSE(must(views.store().find_schema("acme_x", "")));
  const std::string first = list_schema("thing", kSize), second = list_schema("thing", kCount);
  add_plugin(views.store(), "acme_x", first);
  add_plugin(views.store(), "acme_x", second);
  CHECK(must(views.store().find_schema("acme_x", ""))->text == second);
  CHECK(must(views.store().find_schema("acme_x", crypto::sha256_hex(first)))->text == first);
  CHECK_FALSE(must(views.store().find_schema("acme_y", crypto::sha256_hex(first))));
}

TEST_CASE("a family cannot grow beyond what a view holds, and nothing of such a schema stays") {
  Views views;
  for (int version = 0; version < 2; ++version) {
    std::string members = kName;
    for (int i = 0; i < 800; ++i) {
      members +=
          R"(,"f)" + std::to_string(version) + "_" + std::to_string(i) + R"(":{"type":"integer","x-kind":"gauge","x-unit":"1"})";
    }
    const std::string text = list_schema("thing", members);
    if (version == 0) {
      add_plugin(views.store(), "acme_x", text);
    } else {
      const auto schema = must(schema::Schema::parse(text, schema::Schema::Purpose::kOutput));
      const auto families = must(schema::Families::compile(schema.document(), "acme_x"));
      CHECK(views.store().add_schema({"acme_x", crypto::sha256_hex(text), text}, families.all()).error().status == PGA_E_LIMIT);
    }
  }
  CHECK(views.value("select count(*) from pganalytics.schemas") == "1");
  CHECK(views.value("select count(*) from pganalytics.family_members") == "801");
}
