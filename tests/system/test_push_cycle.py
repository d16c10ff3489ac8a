"""Documents of all four plugins travel from a real PostgreSQL and a real machine to the server and back out of its API."""

import sqlite3

import pytest

from harness.oracle import check_no_holes, check_nothing_twice
from harness.wait import eventually


def test_all_four_types_are_stored_with_what_the_sources_say(postgres, server, make_collector):
    postgres.sql("create database shop")
    postgres.sql("create table item (id int primary key, name text); insert into item select i, 'item ' || i from generate_series(1, 5000) i; analyze item", "shop")
    collector = make_collector(
        f"""
[plugins.pg_stats]
enabled = true
interval = "1s"
conninfo = "{postgres.conninfo()}"
[plugins.sysstat]
enabled = true
interval = "1s"
[plugins.disk_usage]
enabled = true
interval = "1s"
[plugins.pg_logs]
enabled = true
interval = "1s"
paths = ["{postgres.log_dir}/*.log"]
start = "beginning"
""",
        server=server,
    )
    collector.register()
    collector.start()
    postgres.sql("select 1/0", check=False)

    def newest(type, fits=lambda document: True):
        return eventually(lambda: next((row["document"] for row in server.metrics(collector.id, type) if fits(row["document"])), None), 60,
                          f"a {type} document that fits, see {collector.log_path}")

    stats = newest("pg_stats", lambda d: any(db["name"] == "shop" and "tables" in db and "database_size" in db for db in d["databases"]))
    shop = next(db for db in stats["databases"] if db["name"] == "shop")
    assert abs(shop["database_size"]["size_bytes"] - int(postgres.sql("select pg_database_size('shop')"))) < 1 << 20
    item = next(table for table in shop["storage"]["rows"] if table["name"] == "item")
    assert item["schema"] == "public" and item["heap_bytes"] == int(postgres.sql("select pg_relation_size('item')", "shop"))
    assert any(index["name"] == "item_pkey" and index["table"] == "item" for index in shop["indexes"]["rows"])

    system = newest("sysstat")
    with open("/proc/meminfo") as meminfo:
        assert system["memory"]["total"] == int(meminfo.readline().split()[1]) * 1024
    assert 0 <= system["cpu"]["user"] <= 1

    disk = newest("disk")
    assert any(fs["total_bytes"] > 0 and fs["available_bytes"] <= fs["total_bytes"] for fs in disk["filesystems"])

    def has_error(document):
        return any(event["severity"] == "ERROR" and "division by zero" in event["message"] for event in document["events"])

    newest("logs", has_error)

    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)
    collector.stop()


def test_a_bare_document_is_a_push_too(server, make_collector):
    collector = make_collector("", server=server)
    collector.register()
    token = server.request("POST", f"/api/v1/collectors/{collector.id}/token", certificate=collector.certificate).json["token"]
    answer = server.request("POST", "/api/v1/metrics/push", {"type": "acme_test", "timestamp": "2026-01-02T03:04:05Z", "value": 12345678901234567890},
                            headers={"Authorization": "Bearer " + token}, certificate=collector.certificate)
    assert answer.status == 200 and answer.json["status"] == "success" and answer.json["metrics_count"] == 1, answer.text
    [row] = server.metrics(collector.id, "acme_test")
    assert row["document"]["value"] == 12345678901234567890


@pytest.mark.parametrize("compression, encoding", [("gzip", "gzip"), ("none", "identity")])
def test_every_compression_is_taken(server, make_collector, compression, encoding):
    """zstd is every other test's."""
    collector = make_collector('[plugins.test_serial]\nenabled = true\ninterval = "200ms"\ntimeout = "200ms"\n', server=server, collector_config=f'compression = "{compression}"\n')
    collector.register()
    server.stop()
    collector.start()

    def waiting_encodings():
        try:
            database = sqlite3.connect(f"file:{collector.state_dir}/spool.db?mode=ro", uri=True, timeout=5)
        except sqlite3.OperationalError:
            return None  # not made yet
        try:
            return {row[0] for row in database.execute("select encoding from batch")}
        except sqlite3.OperationalError:
            return None
        finally:
            database.close()

    eventually(waiting_encodings, 30, "batches that wait")
    assert waiting_encodings() == {encoding}
    server.start()
    eventually(lambda: len(server.metrics(collector.id, "test_serial")) > 3, 60, f"documents on the server, see {collector.log_path}")
    collector.stop()
    rows = server.metrics(collector.id)
    check_nothing_twice(rows)
    check_no_holes(rows)
