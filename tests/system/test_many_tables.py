"""A database of fifty thousand tables: what is left out is told, documents stay small, and so does the worker."""

import json
import os

import pytest

from harness.postgres import Postgres
from harness.wait import eventually
from test_leaks import is_sanitized

TABLES = 50_000
ROWS_MAX = 20_000  # the default
DOCUMENT_BYTES_MAX = 1 << 20
# To know what has changed the worker keeps counters and fingerprints of each row: 100 to 300 bytes (plugins/pg_stats/README.md).
BYTES_PER_ROW_MAX = 300
WORKER_BYTES_MAX = 64 << 20


@pytest.fixture(scope="module")
def crowded():
    server = Postgres({"autovacuum": "off", "max_locks_per_transaction": "256"})
    for database, tables in (("few", TABLES // 10), ("many", TABLES)):
        server.sql(f"create database {database}")
        # Without columns they cost least; a transaction holds a lock for each.
        server.sql(f"do $$ begin for i in 1..{tables} loop execute 'create table t' || i || ' ()'; if i % 1000 = 0 then commit; end if; end loop; end $$", database)
    yield server
    server.close()


def stats(server, database):
    return f'[plugins.pg_stats]\nenabled = true\ntimeout = "30s"\nconninfo = "{server.conninfo(database)}"\ndatabases = ["{database}"]\n'


def test_rows_beyond_the_maximum_are_counted_and_documents_stay_small(crowded, make_collector):
    done = make_collector(stats(crowded, "many")).command("once", "--plugin", "pg_stats")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(len(line.encode()) for line in lines) <= DOCUMENT_BYTES_MAX
    documents = [json.loads(line) for line in lines]
    for family in ("tables", "storage"):
        parts = [entry[family] for document in documents for entry in document["databases"] if family in entry]
        assert sum(len(part["rows"]) for part in parts) == ROWS_MAX
        assert parts[-1]["total"] == TABLES and parts[-1]["omitted"] == TABLES - ROWS_MAX
    errors = [error for document in documents for error in document["errors"]]
    assert {error["code"] for error in errors} <= {"extension"}, errors  # there is no pg_stat_statements
    readings = {reading["family"]: reading for document in documents for reading in document["readings"]}
    assert readings["tables"]["rows"] == TABLES and readings["tables"]["omitted"] == TABLES - ROWS_MAX


def peak_bytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def peak_after_first_run(server, database, make_collector, folder):
    """The worker's peak, and of how many rows it was."""
    output = os.path.join(folder, f"{database}.jsonl")
    collector = make_collector(stats(server, database), name=database, collector_config=f'output = "{output}"')
    collector.start()

    def rows():
        with open(output) as lines:
            readings = [reading for line in lines if line.endswith("\n") for reading in json.loads(line)["readings"]]
        return sum(reading["rows"] for reading in readings)

    read = eventually(rows, 60, "the end of a run")
    peak = peak_bytes(collector.worker_pid("pg_stats"))
    collector.stop()
    return peak, read


def test_a_row_costs_the_worker_little(crowded, binaries, make_collector, folder):
    if is_sanitized(os.path.join(binaries, "bin", "pganalytics")):
        pytest.skip("a sanitizer's allocator is not ours")
    few, few_rows = peak_after_first_run(crowded, "few", make_collector, folder)
    many, many_rows = peak_after_first_run(crowded, "many", make_collector, folder)
    assert many < WORKER_BYTES_MAX
    assert (many - few) / (many_rows - few_rows) < BYTES_PER_ROW_MAX
