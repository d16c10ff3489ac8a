"""`pganalytics doctor`: what it says is missing is missing, and what it says cures it does."""

import json
import os
import re

import pytest

from harness.postgres import Postgres


@pytest.fixture
def bare():
    """A server with the library of pg_stat_statements, and a role that has been granted nothing."""
    server = Postgres({"shared_preload_libraries": "pg_stat_statements"})
    server.sql("create role monitor login")
    yield server
    server.close()


def doctor(collector, *arguments):
    done = collector.command("doctor", *arguments)
    return done, [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else done.stdout


def test_each_missing_part_names_the_grant_that_cures_it(bare, make_collector):
    collector = make_collector(f'[plugins.pg_stats]\nconninfo = "{bare.conninfo(user="monitor")}"\n[plugins.pg_stats.families]\nwal = {{enabled = false}}\n')
    done, text = doctor(collector)
    assert done.returncode == 1, done.stderr
    assert re.search(r"^directories +failed", text, re.M) and re.search(r"^wal +off$", text, re.M)
    assert re.search(r"^tables +works", text, re.M)
    assert "HINT: GRANT pg_monitor" in text and "HINT: CREATE EXTENSION pg_stat_statements" in text

    done, (diagnosis,) = doctor(collector, "--json")
    assert done.returncode == 1 and not diagnosis["well"] and diagnosis["failed"] is None
    hints = {finding["part"]: finding["hint"] for finding in diagnosis["findings"]}
    assert {"directories", "activity", "settings", "statements"} <= hints.keys()

    bare.sql("grant pg_monitor to monitor")
    bare.sql("create extension pg_stat_statements")
    done, (diagnosis,) = doctor(collector, "--json")
    assert done.returncode == 0 and diagnosis["well"], diagnosis["findings"]
    parts = {part["name"]: part for part in diagnosis["parts"]}
    assert len(parts) >= 30 and parts["wal"]["state"] == "off" and parts["directories"]["rows"] >= 3
    assert all(part["ms"] > 0 for part in parts.values() if part["state"] == "read")


def test_a_run_that_fails_is_told_with_its_hint_and_the_others_all_the_same(bare, make_collector):
    bare.sql("alter role monitor nologin")
    collector = make_collector(f'[plugins.pg_stats]\nconninfo = "{bare.conninfo(user="monitor")}"\n[plugins.sysstat]\n')
    done, text = doctor(collector)
    assert done.returncode == 1
    assert 'pg_stats: failed: connecting to database "postgres"' in text and "not permitted to log in" in text
    assert re.search(r"^sysstat: works", text, re.M)


def test_what_is_optional_is_told_and_nobody_is_ill_of_it(bare, make_collector):
    """In its sandbox sysstat may not read I/O and PSS of PostgreSQL's processes: that is how it is delivered."""
    collector = make_collector("[plugins.sysstat]\n")
    done, text = doctor(collector)
    assert done.returncode == 0, text
    assert re.search(r"^sysstat: works;", text, re.M)
    assert re.search(r"^    processes: I/O and PSS .* \(optional\)\n    HINT: .*sandbox = false", text, re.M)
    done, (diagnosis,) = doctor(collector, "--json")
    assert done.returncode == 0 and diagnosis["well"]
    assert [finding["optional"] for finding in diagnosis["findings"]] == [True]


def test_it_keeps_and_delivers_nothing(bare, make_collector):
    collector = make_collector(f'[plugins.pg_stats]\nconninfo = "{bare.conninfo(user="monitor")}"\n')
    doctor(collector)
    assert not os.path.exists(collector.state_dir) or not os.listdir(collector.state_dir)
    done, _ = doctor(collector, "--plugin", "nonsense")
    assert done.returncode == 2 and "nonsense" in done.stderr
