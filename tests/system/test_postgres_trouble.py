"""Trouble with the monitored PostgreSQL is reported, costs nobody else anything, and passes when the trouble passes."""

import json

import pytest

from harness.postgres import Postgres
from harness.wait import eventually


@pytest.fixture
def guarded():
    server = Postgres()
    server.sql("create role monitor login password 'right' in role pg_monitor")
    with open(server.data + "/pg_hba.conf", "w") as hba:
        hba.write("local all postgres trust\nlocal all all scram-sha-256\n")
    server.sql("select pg_reload_conf()")
    yield server
    server.close()


def stats(conninfo, extra=""):
    return f'[plugins.pg_stats]\nenabled = true\ninterval = "1s"\nconninfo = "{conninfo}"\n{extra}\n[plugins.sysstat]\nenabled = true\ninterval = "1s"\n'


def test_wrong_password_is_said_and_the_others_go_on(guarded, make_collector):
    collector = make_collector(stats(guarded.conninfo(user="monitor", password="wrong")))
    done = collector.command("once")
    assert done.returncode == 1
    assert "password authentication failed" in done.stderr and "wrong" not in done.stderr.replace("wrong password", "")
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()] == ["sysstat"]

    collector.write_config(stats(guarded.conninfo(user="monitor", password="right")))
    done = collector.command("once")
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["type"] for line in done.stdout.splitlines()} == {"pg_stats", "sysstat"}


def test_missing_database_to_connect_to(guarded, make_collector):
    collector = make_collector(stats(guarded.conninfo(database="nowhere")))
    done = collector.command("once", "--plugin", "pg_stats")
    assert done.returncode == 1 and 'database "nowhere" does not exist' in done.stderr


def test_a_database_that_cannot_be_entered_is_reported_while_the_others_arrive(guarded, make_collector):
    guarded.sql("create database secret")
    guarded.sql("revoke connect on database secret from public")
    collector = make_collector(stats(guarded.conninfo(user="monitor", password="right")))
    done = collector.command("once", "--plugin", "pg_stats")
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(db["name"] == "postgres" and db["database_size"]["size_bytes"] for document in documents for db in document["databases"])
    errors = [error for document in documents for error in document["errors"]]
    assert any(error.get("database") == "secret" and "CONNECT" in error["message"] for error in errors), errors


def test_postgres_down_at_start_and_coming_up_later(postgres, server, make_collector):
    postgres.stop()
    collector = make_collector(stats(postgres.conninfo()), server=server)
    collector.register()
    collector.start()
    eventually(lambda: len(server.metrics(collector.id, "sysstat")) >= 3, 30, "sysstat while PostgreSQL is down")
    assert server.metrics(collector.id, "pg_stats") == []
    postgres.start()
    eventually(lambda: server.metrics(collector.id, "pg_stats"), 90, f"pg_stats once PostgreSQL is up, see {collector.log_path}")
    collector.stop()
