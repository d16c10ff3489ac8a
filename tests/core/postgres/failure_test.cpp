#include "core/postgres/failure.h"

#include "core/postgres/connection.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::postgres;

TEST_CASE("a statement is named by its marker, never by its text") {
  CHECK(label_of("-- Sizes.\n/* pganalytics:pg_stats/table_sizes */\nSELECT 1") == "query pg_stats/table_sizes");
  CHECK(label_of("INSERT INTO users VALUES ('secret')") == "statement INSERT");
  CHECK(label_of("COMMIT;") == "statement COMMIT");
  CHECK(label_of("") == "statement ");
}

TEST_CASE("a malformed conninfo is a configuration error that does not repeat the string") {
  const auto loose_word = Connection::open("user=app password=x hunter2", {}, deadline_in(std::chrono::seconds(1)));
  REQUIRE_FALSE(loose_word);
  CHECK(loose_word.error().status == PGA_E_CONFIG);
  CHECK(loose_word.error().code == "pg.conninfo");
  CHECK(loose_word.error().message.find("hunter2") == std::string::npos);
  CHECK_FALSE(loose_word.error().hint.empty());

  const auto unknown_key = conninfo_value("hsot=db1", "host");
  REQUIRE_FALSE(unknown_key);
  CHECK(unknown_key.error().message.find("\"hsot\"") != std::string::npos);
}

TEST_CASE("conninfo_value reads one keyword of either form of conninfo") {
  CHECK(conninfo_value("host=db1 options='-c geqo=off'", "options").value() == "-c geqo=off");
  CHECK(conninfo_value("postgresql://app@db1/sales", "dbname").value() == "sales");
  CHECK(conninfo_value("host=db1", "options").value() == std::nullopt);
  CHECK(conninfo_value("", "host").value() == std::nullopt);
}
