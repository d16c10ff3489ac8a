// Reading a family's file, and the statement for servers that have more or less.
#include "plugins/pg_stats/family.h"

#include "tests/support/catch.h"

using namespace pganalytics::pg_stats;

namespace {

const std::string kHeader = "-- Things.\n-- Scope: database\n-- Rows: changed\n-- Every: 5m\n-- Grants: none\n-- Cost: little\n";

const std::string kBody =
    "SELECT t.oid AS oid, -- key int: Of the thing.\n"
    "       t.\"name\" AS \"table\", -- label: Its name.\n"
    "       t.new AS grown, -- counter By [17 things.new]: How much.\n"
    "       -- or t.old AS grown, [things.old]\n"
    "       t.late AS late_ms, -- counter num ms [18 late()]: How late.\n"
    "       age(t.x) AS age -- drift {transaction}: How old.\n"
    "  FROM things AS t\n"
    "  JOIN others AS o ON true -- if [others]\n"
    " WHERE t.oid % 10 = 0 -- slice\n"
    "   AND t.oid IN (0) -- keys\n"
    "   AND true  -- for a reason\n";

Family family() {
  auto parsed = parse_family("things", kHeader + kBody);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  return std::move(parsed).value();
}

std::string refusal(const std::string& sql) {
  const auto parsed = parse_family("things", sql);
  REQUIRE_FALSE(parsed);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("a file says all about its family") {
  const Family things = family();
  CHECK(things.description == "Things.");
  CHECK(things.scope == Scope::kDatabase);
  CHECK(things.extent == Extent::kChanged);
  CHECK(things.interval == std::chrono::minutes(5));
  REQUIRE(things.columns.size() == 5);
  CHECK(things.columns[0].kind == Kind::kKey);
  CHECK(things.columns[0].type == Type::kInteger);
  CHECK(things.columns[0].source == "t.oid");
  CHECK(things.columns[1].name == "table");
  CHECK(things.columns[1].type == Type::kText);
  CHECK(things.columns[2].unit == "By");
  CHECK(things.columns[2].since == 17);
  CHECK(things.columns[2].description == "How much.");
  CHECK(things.columns[3].type == Type::kNumber);
  CHECK(things.columns[4].drifts);
  CHECK(things.probes() == std::set<std::string>{"things.new", "things.old", "late()", "others"});
}

TEST_CASE("a server gets the sources that it has, NULL for the others, and no line that it does not know") {
  const Family things = family();
  CHECK(select_of(things, {"things.new", "things.old", "late()", "others"}, "", 3, "7, 8") ==
        "SELECT t.oid AS oid,\n       t.\"name\" AS \"table\",\n       t.new AS grown,\n       t.late AS late_ms,\n       "
        "age(t.x) AS age\n"
        "  FROM things AS t\n  JOIN others AS o ON true\n WHERE t.oid % 10 = 3\n   AND t.oid IN (7, 8)\n   AND true");
  const std::string old = select_of(things, {"things.old"});
  CHECK(old.find("t.old AS grown,\nNULL AS late_ms,") != std::string::npos);
  CHECK(old.find("others") == std::string::npos);
  CHECK(old.find("% 10") == std::string::npos);  // the whole
  CHECK(select_of(things, {}).find("NULL AS grown,") != std::string::npos);
}

TEST_CASE("the schema of an extension takes the place of public") {
  Family things = family();
  things.extension = "x";
  things.lines.push_back({"  JOIN \"public\".f() AS f ON true JOIN \"public\".g AS g ON true", "", ""});
  const std::string sql = select_of(things, {}, "\"my \"\"public\"\".\"");
  CHECK(sql.find("JOIN \"my \"\"public\"\".\".f() AS f ON true JOIN \"my \"\"public\"\".\".g AS g") != std::string::npos);
}

TEST_CASE("a mistake in a file is told with its line") {
  CHECK(refusal(kHeader).find("has no column") != std::string::npos);
  CHECK(refusal("-- Things.\n-- Scope: moon\n").find("line 2") != std::string::npos);
  CHECK(refusal(kHeader + "SELECT a AS a -- gauge: Without a unit.\n").find("lacks its unit") != std::string::npos);
  CHECK(refusal(kHeader + "SELECT a AS a -- key\n").find("lacks its meaning") != std::string::npos);
  CHECK(refusal(kHeader + "SELECT a -- key: Without a name.\n").find("has no AS") != std::string::npos);
  CHECK(refusal(kHeader + "SELECT a AS a -- key [things.a]: A probe without its major.\n").find("lacks the major") !=
        std::string::npos);
  CHECK(refusal(kHeader + "SELECT a AS a, -- drift By: Drifts.\n b AS b -- gauge By: Does not.\n").find("drifts") !=
        std::string::npos);
}
