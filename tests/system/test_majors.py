"""`once` on each supported major: pg_stats' documents fit its schema, as a role that has pg_monitor and nothing else."""

import json
import os

import pytest

from harness.postgres import Postgres

MAJORS = (14, 15, 16, 17, 18)


@pytest.mark.parametrize("major", MAJORS)
def test_documents_fit_the_schema(major, binaries, make_collector):
    programs = os.path.join(binaries, "postgres", str(major), "bin")
    if not os.path.exists(os.path.join(programs, "postgres")):
        assert not os.environ.get("PGANALYTICS_TEST_EVERY_MAJOR"), f"PostgreSQL {major} is not in {programs}"
        pytest.skip(f"PostgreSQL {major} is not in {programs}; tests/support/postgres_majors.sh fetches it")
    server = Postgres({"shared_preload_libraries": "pg_stat_statements"}, binaries=programs)
    try:
        server.sql("create role monitor login in role pg_monitor")
        server.sql("create extension pg_stat_statements")
        server.sql("create table t (i int primary key); insert into t select generate_series(1, 1000); analyze t")
        collector = make_collector(f'[plugins.pg_stats]\nconninfo = "{server.conninfo(user="monitor")}"\n')
        done = collector.command("once", "--plugin", "pg_stats")
        # The host checks each document against the schema; one that does not fit is refused and the run has failed.
        assert done.returncode == 0, done.stderr
        assert "refused" not in done.stderr
        documents = [json.loads(line) for line in done.stdout.splitlines()]
        assert documents and all(document["errors"] == [] for document in documents)
        assert documents[0]["server"]["version_num"] // 10000 == major
        states = {reading["family"]: reading["state"] for document in documents for reading in document["readings"]}
        assert len(states) >= 30
        assert {family for family, state in states.items() if state == "absent"} == ({"io"} if major < 16 else set())
        assert "failed" not in states.values()
    finally:
        server.close()
