"""A real Prometheus scrapes a real collector and answers PromQL with what PostgreSQL and the machine say."""

import re
import subprocess

import pytest

from harness.engine import Prometheus, fetch, needs
from harness.wait import eventually


@pytest.fixture
def scraped(postgres, make_collector, folder):
    """(postgres, collector, port): a collector without a server, and where it may be scraped."""
    postgres.sql("create database shop")
    postgres.sql("create table item (id int primary key, name text); insert into item select i, 'item ' || i from generate_series(1, 5000) i; analyze item", "shop")
    collector = make_collector(
        f"""
[prometheus]
listen = "127.0.0.1:0"
[plugins.pg_stats]
interval = "1s"
budget_percent = 50
families = {{tables = {{interval = "1s"}}, indexes = {{interval = "1s"}}}}
conninfo = "{postgres.conninfo()}"
[plugins."pg_stats@again"]
interval = "1s"
budget_percent = 50
families = {{tables = {{interval = "1s"}}, indexes = {{interval = "1s"}}}}
conninfo = "{postgres.conninfo()}"
[plugins.sysstat]
interval = "1s"
[plugins.disk]
interval = "1s"
[plugins.logs]
interval = "1s"
paths = ["{postgres.log_dir}/*.log"]
""",
        collector_config=f'output = "{folder}/documents"',
    )
    collector.start()
    found = eventually(lambda: re.search(r"scrape /metrics on 127\.0\.0\.1 port (\d+)", collector.log()), 30, f"an endpoint, see {collector.log_path}")
    yield postgres, collector, int(found.group(1))
    collector.stop()


def all_there(text):
    return all(name in text for name in ('pg_tables_tuples_inserted_total{', "sysstat_memory_total_bytes{", "disk_filesystem_total_bytes{", 'source="pg_stats@again"'))


def test_the_text_is_what_promtool_takes(scraped):
    promtool = needs("promtool")
    _, _, port = scraped
    text = eventually(lambda: (lambda seen: seen if all_there(seen) else "")(fetch(f"http://127.0.0.1:{port}/metrics")), 60, "all metrics")
    checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    # 1: it cannot be read; 3: matters of taste, of which these remain: names that plugins have given.
    assert checked.returncode in (0, 3), checked.stdout
    remaining = [line for line in checked.stdout.splitlines() if not re.search(r'_count non-histogram|base unit "seconds" instead of "minutes"', line)]
    assert remaining == [], remaining


def test_promql_answers_with_what_the_sources_say(scraped, folder):
    postgres, collector, port = scraped
    prometheus = Prometheus(folder, port)
    prometheus.start()
    try:
        [(labels, inserted)] = eventually(lambda: prometheus.query('pg_tables_tuples_inserted_total{name="item",source="pg_stats"}'), 60, "the table's counter")
        assert inserted == 5000
        assert labels["job"] == "pganalytics" and labels["instance"] == f"127.0.0.1:{port}"
        assert labels["collector"] == collector.name and labels["schema"] == "public" and labels["database_name"] == "shop"

        [(again, _)] = eventually(lambda: prometheus.query('pg_tables_tuples_inserted_total{name="item",source="pg_stats@again"}'), 60, "the other instance")
        assert again["exported_instance"] == "again"  # `instance` is Prometheus' own

        [(_, size)] = eventually(lambda: prometheus.query('pg_database_size_size_bytes{database_name="shop",source="pg_stats"}'), 60, "the database's size")
        assert abs(size - int(postgres.sql("select pg_database_size('shop')"))) < 1 << 20

        with open("/proc/meminfo") as meminfo:
            assert eventually(lambda: prometheus.query("sysstat_memory_total_bytes"), 60, "memory")[0][1] == int(meminfo.readline().split()[1]) * 1024

        # A row that does not change is not sent again between full snapshots; it is shown all the same, while others go on.
        postgres.sql("insert into item select i from generate_series(5001, 5100) i", "shop")
        eventually(lambda: prometheus.query('pg_tables_tuples_inserted_total{name="item",source="pg_stats"} == 5100'), 60, "the new value")
        assert prometheus.query('increase(pg_tables_tuples_inserted_total{name="item",source="pg_stats"}[1m]) > 0')
        index_size = int(postgres.sql("select pg_relation_size('item_pkey')", "shop"))
        eventually(lambda: prometheus.query(f'pg_index_storage_size_bytes{{name="item_pkey",source="pg_stats"}} == {index_size}'), 60, "the index's size")
    finally:
        prometheus.close()
