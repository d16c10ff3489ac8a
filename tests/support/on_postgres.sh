#!/bin/sh
# on_postgres.sh PROGRAM [ARGUMENT...]: runs a test program on the PostgreSQL in $PGANALYTICS_TEST_PG_BIN, whose major is
# $PGANALYTICS_TEST_PG_MAJOR. ctest starts it. A major that was not fetched is the system's; where there is none either, the test is
# skipped (77), unless $PGANALYTICS_TEST_EVERY_MAJOR is set, as tests/run.sh does.
set -eu
if [ ! -x "$PGANALYTICS_TEST_PG_BIN/postgres" ]; then
  missing="PostgreSQL $PGANALYTICS_TEST_PG_MAJOR is not in $PGANALYTICS_TEST_PG_BIN"
  hint="HINT: Run: tests/support/postgres_majors.sh ${PGANALYTICS_TEST_PG_BIN%/postgres/*}"
  system=/usr/lib/postgresql/$PGANALYTICS_TEST_PG_MAJOR/bin
  if [ -n "${PGANALYTICS_TEST_EVERY_MAJOR:-}" ]; then
    printf 'error: %s\n%s\n' "$missing" "$hint" >&2
    exit 1
  elif [ ! -x "$system/postgres" ]; then
    printf 'skipped: %s\n%s\n' "$missing" "$hint"
    exit 77
  fi
  PGANALYTICS_TEST_PG_BIN=$system
fi
exec "$@"
