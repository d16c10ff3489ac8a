// A row as it was sent: what identifies it, what makes it another one, and its members.
#include "plugins/pg_stats/row.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::pg_stats;

namespace {

const Family& family() {
  static const Family one = *parse_family(
      "rows",
      "-- Rows.\n-- Scope: server\n-- Rows: changed\n-- Every: 1m\n-- Grants: none\n-- Cost: none\n"
      "SELECT a AS id, -- key int: Of it.\n b AS name, -- label: Its name.\n c AS calls, -- counter {call}: Calls.\n"
      " d AS ms, -- counter num ms: Time.\n e AS at, -- info time: When.\n f AS on, -- info bool: Whether.\n g AS age -- drift "
      "s: How old.\n");
  return one;
}

std::string members(const std::string& line, bool nulls = false) {
  RowReader row(family());
  if (!row.read(line)) return "refused";
  JsonWriter json;
  json.begin_object();
  row.write(json, nulls);
  json.end_object();
  return std::string(json.text());
}

}  // namespace

TEST_CASE("a column that drifts makes no other row of it; any other does") {
  RowReader row(family());
  const auto content = [&](const char* line) {
    REQUIRE(row.read(line));
    return std::string(row.content());
  };
  CHECK(content("1\ta\t2\t0.5\t\\N\tt\t7") == content("1\ta\t2\t0.5\t\\N\tt\t8"));
  CHECK(content("1\ta\t2\t0.5\t\\N\tt\t7") != content("1\ta\t2\t0.5\t\\N\tf\t7"));
  CHECK(row.key() == "1\t");
  CHECK(row.counters()[0].integer == 2);
  CHECK(row.counters()[1].number == 0.5);
}

TEST_CASE("values are JSON's, and what JSON cannot say is null") {
  CHECK(members("1\tq\"\\\\\\n\t2\t1e-05\t2026-02-03 04:05:06.7+00\tt\t-3") ==
        R"({"id":1,"name":"q\"\\\n","calls":2,"ms":0.00001,"at":"2026-02-03T04:05:06.7Z","on":true,"age":-3})");
  CHECK(members("1\ta\t2\tNaN\tinfinity\tf\t7") == R"({"id":1,"name":"a","calls":2,"ms":null,"at":null,"on":false,"age":7})");
  CHECK(members("1\ta\t\\N\t\\N\t\\N\t\\N\t\\N") == R"({"id":1,"name":"a"})");
  CHECK(members("1\t\\N\t2\t0\t\\N\tt\t7", true) == R"({"id":1,"name":null,"calls":2,"ms":0,"at":null,"on":true,"age":7})");
  CHECK(members("1\ta") == "refused");
}

TEST_CASE("what no counter can be counts as 0: growth stays what rows have in common") {
  RowReader row(family());
  for (const char* const line :
       {"1\ta\t-5\tNaN\t\\N\tt\t7", "1\ta\t-9223372036854775808\t-Infinity\t\\N\tt\t7", "1\ta\tx\tInfinity\t\\N\tt\t7"}) {
    REQUIRE(row.read(line));
    CHECK(row.counters()[0].integer == 0);
    CHECK(row.counters()[1].number == 0);
  }
}

TEST_CASE("what JSON has no number for is null") {
  const auto of = [](const std::string& integer, const std::string& number) {
    return members("1\ta\t" + integer + "\t" + number + "\t\\N\tt\t7", true);
  };
  CHECK(of("9223372036854775807", "1e-07").find(R"("calls":9223372036854775807,"ms":1e-7)") != std::string::npos);
  CHECK(of("-1", "-0.5E+3").find(R"("calls":-1,"ms":-500)") != std::string::npos);
  for (const char* const bad : {"", "-", "x", "1x", "+1", "0x1", "1e", "NaN", "Infinity", "1e400"}) {
    INFO(bad);
    CHECK(of(bad, bad).find(R"("calls":null,"ms":null)") != std::string::npos);
  }
}
