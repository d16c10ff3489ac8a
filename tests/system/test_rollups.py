"""The server rolls points up by itself, beside a second one on the same database, late ones too; and answers from both, alike."""

import os
import urllib.parse
import uuid

import pytest

from harness.server import Server
from harness.wait import eventually

COLLECTOR = str(uuid.uuid4())
BUCKETS = "select count(*) from pganalytics.rollups where width_s = 300"


@pytest.fixture
def two_servers(binaries, folder, postgres):
    """Two servers of one database, each with its own data_dir."""
    postgres.sql("create database pga")
    running = []
    for name in ("one", "two"):
        os.mkdir(os.path.join(folder, name), 0o755)
        running.append(Server(binaries, os.path.join(folder, name), f'[database]\nurl = "{postgres.conninfo("pga")}"'))
        running[-1].start()
    yield running
    for server in running:
        server.close()


def add_points(postgres, bucket, minutes_before):
    """Before the beginning of a bucket that stays the same, so that none of them comes to lie in another one's."""
    postgres.sql(f"with added as (insert into pganalytics.points select '{bucket}'::timestamptz - i * interval '1 minute', s.id, array[i, 1000 - 10 * i] "
                 f"from pganalytics.series s, unnest('{{{minutes_before}}}'::integer[]) i returning time) "
                 f"select pganalytics.note_points('{COLLECTOR}', array_agg(time)) from added", "pga")


def values(server, agg, field):
    words = {"family": "gauges", "field": field, "agg": agg, "step": "5m"}
    answer = server.get("/api/v1/query?" + urllib.parse.urlencode(words))
    return [value for value in answer["series"][0]["values"] if value is not None]


def test_points_are_rolled_up_late_ones_too(two_servers, postgres):
    postgres.sql("insert into pganalytics.families (plugin, name, is_events, view) values ('acme', 'gauges', false, 'gauges');"
                 "insert into pganalytics.family_members (family_id, role, position, name, kind, ordinal, column_name)"
                 " select id, 'field', 1, 'size', 'gauge', 1, 'size' from pganalytics.families"
                 " union all select id, 'field', 2, 'scans', 'counter', 2, 'scans' from pganalytics.families;"
                 f"insert into pganalytics.collectors (id, name, hostname) values ('{COLLECTOR}', 'db1', 'db1');"
                 f"insert into pganalytics.series (collector_id, family_id, labels, digest) select '{COLLECTOR}', id, '{{}}', '' from pganalytics.families", "pga")
    bucket = postgres.sql("select date_bin('5 minutes', now(), 'epoch')", "pga")
    add_points(postgres, bucket, "50,40,30")
    eventually(lambda: postgres.sql(BUCKETS, "pga") == "3", 60, "three buckets rolled up")
    before = sum(values(two_servers[0], "increase", "scans"))
    assert before == 200
    add_points(postgres, bucket, "45,35")
    eventually(lambda: postgres.sql(BUCKETS, "pga") == "5", 60, "five buckets rolled up")
    for server in two_servers:
        assert sum(values(server, "increase", "scans")) == before  # no growth is counted twice
        assert max(values(server, "max", "size")) == 50
        assert "rolling up points" not in server.log()
