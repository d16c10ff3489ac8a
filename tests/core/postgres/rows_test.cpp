#include "core/postgres/connection.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::postgres;

TEST_CASE("values of a result are typed, and what is absent stays absent") {
  const testing::PostgresServer server;
  auto connection = Connection::open(server.conninfo(), {}, deadline_in(std::chrono::seconds(20)));
  REQUIRE(connection);
  const auto soon = deadline_in(std::chrono::seconds(20));
  const auto rows = connection->execute(
      "SELECT 9223372036854775807 AS big, 1.5 AS real, true AS yes, NULL::bigint AS none, 'a b' AS words, '' AS empty, "
      "18446744073709551615 AS too_big",
      soon);
  REQUIRE(rows);
  CHECK(rows->size() == 1);
  CHECK(rows->columns() == 7);
  CHECK(rows->int64(0, rows->column("big")) == 9223372036854775807);
  CHECK(rows->number(0, rows->column("real")) == 1.5);
  CHECK(rows->boolean(0, rows->column("yes")) == true);
  CHECK(rows->text(0, rows->column("words")) == "a b");

  CHECK(rows->is_null(0, rows->column("none")));
  CHECK_FALSE(rows->is_null(0, rows->column("empty")));
  CHECK(rows->int64(0, rows->column("none")) == std::nullopt);
  CHECK(rows->int64(0, rows->column("words")) == std::nullopt);
  CHECK(rows->int64(0, rows->column("real")) == std::nullopt);     // no silent prefix
  CHECK(rows->int64(0, rows->column("too_big")) == std::nullopt);  // no silent wrap
  CHECK(rows->boolean(0, rows->column("words")) == std::nullopt);

  CHECK(rows->name(0) == "big");
  CHECK(rows->name(99).empty());
  CHECK(rows->type(0) == 20);
  CHECK(rows->type(99) == 0);
  CHECK(rows->column("nowhere") == -1);
  CHECK(rows->is_null(0, -1));
  CHECK(rows->text(7, 0).empty());

  const auto inserted = connection->execute("CREATE TEMP TABLE t (i int); INSERT INTO t SELECT generate_series(1, 7)", soon);
  REQUIRE(inserted);
  CHECK(inserted->affected() == 7);
}
