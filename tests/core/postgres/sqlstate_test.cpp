#include "core/postgres/connection.h"
#include "tests/support/catch.h"

using pganalytics::postgres::status_of_sqlstate;

TEST_CASE("an SQLSTATE tells the host what to do next: exact codes win over classes") {
  CHECK(status_of_sqlstate("28P01") == PGA_E_DENIED);
  CHECK(status_of_sqlstate("28000") == PGA_E_DENIED);
  CHECK(status_of_sqlstate("42501") == PGA_E_DENIED);
  CHECK(status_of_sqlstate("3D000") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("08006") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("57P01") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("57P03") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("53300") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("40001") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("55P03") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("25006") == PGA_E_TRANSIENT);
  CHECK(status_of_sqlstate("57014") == PGA_E_DEADLINE);  // not the 57 of its class
  CHECK(status_of_sqlstate("42703") == PGA_E_UNSUPPORTED);
  CHECK(status_of_sqlstate("0A000") == PGA_E_UNSUPPORTED);
}

TEST_CASE("an SQLSTATE nobody thought of, or none, is an unclassified failure") {
  CHECK(status_of_sqlstate("23505") == PGA_E_FAIL);
  CHECK(status_of_sqlstate("XX000") == PGA_E_FAIL);
  CHECK(status_of_sqlstate("") == PGA_E_FAIL);
  CHECK(status_of_sqlstate("08") == PGA_E_FAIL);
}
