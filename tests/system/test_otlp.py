"""A real collector pushes metrics and logs by OTLP/HTTP to a receiver that checks the protocol's JSON mapping."""

import sqlite3

import pytest

from harness.otlp_receiver import Receiver
from harness.wait import eventually


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def test_metrics_and_logs_arrive_through_an_outage(postgres, make_collector, receiver):
    postgres.sql("create database shop")
    postgres.sql("create table item (id int primary key); insert into item select generate_series(1, 5000); analyze item", "shop")
    collector = make_collector(
        f"""
[output.otlp]
url = "{receiver.url}"
[plugins.test_serial]
interval = "100ms"
[plugins.pg_stats]
interval = "1s"
conninfo = "{postgres.conninfo()}"
[plugins.sysstat]
interval = "1s"
[plugins.disk]
interval = "1s"
[plugins.logs]
interval = "1s"
paths = ["{postgres.log_dir}/*.log"]
start = "beginning"
"""
    )
    collector.start()

    def serials():
        return [value for name, _, kind, _, _, value in receiver.points if name == "test_serial.serial" and kind == "counter"]

    def waiting():
        with sqlite3.connect(f"file:{collector.state_dir}/spool.db?mode=ro", uri=True) as spool:
            return spool.execute("select count(*) from batch").fetchone()[0]

    eventually(lambda: len(serials()) >= 3, 60, lambda: f"points; refused: {receiver.wrong}, see {collector.log_path}")
    receiver.down = True
    postgres.sql("select 1/0", check=False)
    eventually(lambda: waiting() >= 10, 60, "a backlog")
    receiver.down = False
    eventually(lambda: waiting() <= 3, 60, "an empty spool")

    inserted = eventually(lambda: [point for point in receiver.points if point[0] == "pg_tables.tuples_inserted" and point[3].get("name") == "item"], 60, "the table's counter")
    assert inserted[0][2] == "counter" and inserted[0][5] == 5000 and inserted[0][3]["source"] == "pg_stats" and inserted[0][3]["database_name"] == "shop"
    record = eventually(lambda: next((record for record in receiver.records if record[1] == "division by zero"), None), 60, "the error of the log")
    assert record[0] == "ERROR" and record[2]["source"] == "logs" and record[2]["event.family"] == "logs_events"
    assert {"sysstat.memory_total", "disk_filesystem.total_bytes"} <= {point[0] for point in receiver.points}
    collector.stop()
    assert waiting() == 0
    assert receiver.wrong == []
    # Three numbers a run, each once though the receiver was away: a batch is sent again only if it was not taken.
    assert sorted(serials()) == [float(i) for i in range(1, len(serials()) + 1)]
