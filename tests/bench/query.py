#!/usr/bin/env python3
"""How long a chart takes from 30 days of 10,000 tables, what a roll-up costs, and how many bytes a sample takes before and after.

    tests/bench/query.py BUILD_DIR [DAYS]

A server on a PostgreSQL of its own, with rows put there by SQL as ingest leaves them: interleaved, in partitions of a day. A collector with
10,000 tables that has a point an hour of each (30 days of them at 5 minutes would be 86 million rows, some 20 GB), one with 100 tables
at 5 minutes, and one with 20 devices at 10 s for a day. 20 fields, 14 of them counters. The collectors at 5 minutes and at 10 s are rolled
up whole, of the first 6 hours. Charts are asked over one kept HTTPS connection; the reference is a question that reads no
point (GET /api/v1/families/{name}) on the same connection; "best" is what counts on a machine that does other things too. Then the plans, as PostgreSQL tells them.
"""

import http.client
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from harness.postgres import Postgres  # noqa: E402
from harness.server import Server  # noqa: E402

DAY = 86_400
QUERIES = os.path.join(os.path.dirname(__file__), "..", "..", "core", "server", "store", "queries")
FIELDS = 20
GAUGES = 6
ROUNDS = 50


class Site:
    def __init__(self, binaries, folder, days):
        self.postgres = Postgres({"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "30min", "autovacuum": "off"})
        self.postgres.sql("create database bench")
        self.server = Server(binaries, folder, f'[database]\nurl = "{self.postgres.conninfo("bench")}"\n[limits]\nread_per_second = 100000\nread_burst = 100000')
        self.server.cli("migrate")
        self.end = int(time.time()) // DAY * DAY - DAY
        self.days = days

    def sql(self, statement):
        """As Postgres.sql(), for as long as it takes, with the settings of the server's own sessions (store/pool.cpp)."""
        done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.postgres.conninfo("bench"), "-c", statement],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PGOPTIONS": "-c jit=off -c timezone=UTC"})
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def family(self, name, label):
        return self.sql(f"with f as (insert into pganalytics.families (plugin, name, is_events, view) values ('bench', '{name}', false, '{name}') returning id),"
                        f" l as (insert into pganalytics.family_members (family_id, role, position, name, ordinal, column_name) select id, 'label', 1, '{label}', 1, '{label}' from f),"
                        f" m as (insert into pganalytics.family_members (family_id, role, position, name, kind, ordinal, column_name) select id, 'field', i, 'f' || i,"
                        f" case when i <= {GAUGES} then 'gauge' else 'counter' end, i + 1, 'f' || i from f, generate_series(1, {FIELDS}) i) select id from f")

    def collector(self, name, family, series):
        identity = str(uuid.uuid4())
        self.sql(f"insert into pganalytics.collectors (id, name, hostname) values ('{identity}', '{name}', '{name}');"
                 f"insert into pganalytics.series (collector_id, family_id, labels, digest) select '{identity}', {family}, array['{name}' || i],"
                 f" decode(md5('{name}' || i), 'hex') from generate_series(1, {series}) i")
        return identity

    def fill(self, collector, from_s, to_s, step_s):
        """Points of all series of the collector, by time."""
        self.sql("insert into pganalytics.points select t, s.id, array(select case when i <= %d then (extract(epoch from t)::bigint / %d * (s.id + i)) %% 100000"
                 " else extract(epoch from t)::bigint / 10 * i end from generate_series(1, %d) i)::float8[]"
                 " from generate_series(to_timestamp(%d), to_timestamp(%d), interval '%d seconds') t,"
                 " (select id from pganalytics.series where collector_id = '%s') s" % (GAUGES, step_s, FIELDS, from_s, to_s - step_s, step_s, collector))
        self.sql(f"insert into pganalytics.rollups_due select 300, t, '{collector}' from generate_series(to_timestamp({from_s}), to_timestamp({to_s} - 1),"
                 f" interval '{max(step_s, 300)} seconds') t")

    def partitions(self):
        """A day each; the server has made those of the last weeks."""
        for day in range(self.end - self.days * DAY, self.end, DAY):
            since, until = (time.strftime("%Y-%m-%d", time.gmtime(each)) for each in (day, day + DAY))
            self.sql(f"select pganalytics.add_partition('points', '{since}', '{until}')"
                     f" where not exists (select from pganalytics.partitions where parent = 'points' and until = '{until}')")

    def size(self, pattern):
        return int(self.sql("select coalesce(sum(pg_total_relation_size(c.oid)), 0) from pg_class c join pg_namespace n on n.oid = relnamespace"
                            f" where nspname = 'pganalytics' and relkind = 'r' and relname like '{pattern}'"))

    def roll_up(self):
        """All that is due; how many seconds of a processor its session took (proc(5): stat, fields 14 and 15)."""
        words = self.sql("do $$ begin while pganalytics.roll_up(60000) loop null; end loop; end $$; select pg_read_file('/proc/self/stat')").rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def plan(self, name, *values):
        with open(os.path.join(QUERIES, name)) as file:
            text = file.read()
        for number in range(len(values), 0, -1):
            text = text.replace(f"${number}", str(values[number - 1]))
        print(f"\n-- {name}\n" + self.sql("explain (analyze, costs off, summary off, buffers) " + text))


class Client:
    """One kept connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl.create_default_context(cafile=server.ca_file))
        self.headers = {"Authorization": "Bearer " + server.key("viewer")}

    def time(self, what, path):
        values = []
        for _ in range(ROUNDS):
            begin = time.monotonic()
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            body = answer.read()
            values.append((time.monotonic() - begin) * 1000)
            assert answer.status == 200, body
        print(f"{what:<60} best {min(values):7.2f} ms  median {statistics.median(values):7.2f} ms  {len(body)} bytes")


def chart(site, table, hours, step, **more):
    words = {"family": "tables", "field": "f7", "labels": f'table_name="{table}"', "step": step,
             "from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(site.end - hours * 3600)), "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(site.end)), **more}
    return "/api/v1/query?" + urllib.parse.urlencode(words, quote_via=urllib.parse.quote)


def show_bytes(what, size, samples):
    print(f"{what:<60} {size / 1e6:8.1f} MB {size / samples:8.1f} bytes a row {size / samples / FIELDS:6.2f} a sample of a field")


def main():
    binaries, days = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory(prefix="pga-bench-") as folder:
        os.chmod(folder, 0o755)
        site = Site(binaries, folder, days)
        try:
            measure(site, days)
        finally:
            site.server.close()
            site.postgres.close()


def measure(site, days):
    tables, devices = site.family("tables", "table_name"), site.family("devices", "device")
    site.partitions()
    many, dense, fast = site.collector("many", tables, 10_000), site.collector("dense", tables, 100), site.collector("fast", devices, 20)
    begin = site.end - days * DAY
    for day in range(begin, site.end, DAY):
        site.fill(many, day, day + DAY, 3600)
        site.fill(dense, day, day + DAY, 300)
    site.fill(fast, site.end - DAY, site.end, 10)
    site.sql("vacuum analyze")
    rows = 10_000 * 24 * days + 100 * 288 * days + 20 * 8640
    print(f"{days} days: {rows} rows of {FIELDS} fields")
    show_bytes("points", site.size("points_until_%"), rows)

    site.sql("create table kept as select * from pganalytics.rollups_due; truncate pganalytics.rollups_due")  # the server would begin with them
    site.server.start()
    client = Client(site.server)
    client.time("reference: a family", "/api/v1/families/tables")
    client.time("24 h of one of 10,100 tables, 5 minutes, from points", chart(site, "dense7", 24, "4m"))
    client.time("24 h of one of 10,100 tables, an hour, from points", chart(site, "many77", 24, "59m"))
    site.server.close()

    site.sql(f"insert into pganalytics.rollups_due select * from kept where collector_id = '{fast}'")
    seconds = site.roll_up()
    short, long = site.size("rollups_300_%"), site.size("rollups_3600_%")
    print(f"rolled up 20 series at 10 s, a day: {20 * 8640} rows in {seconds:.1f} s of a processor, {20 * 8640 / seconds:.0f} rows/s")
    show_bytes("  5 minutes, in place of 30 rows each", short, 20 * 288)
    show_bytes("  an hour, in place of 360", long, 20 * 24)
    site.sql(f"truncate pganalytics.rollups; insert into pganalytics.rollups_due select * from kept where collector_id = '{many}' and time >= to_timestamp({site.end - DAY // 4})")
    seconds = site.roll_up()
    print(f"rolled up 10,000 series with a point an hour, 6 hours: 60000 rows in {seconds:.1f} s of a processor, {60_000 / seconds:.0f} rows/s")
    site.sql(f"insert into pganalytics.rollups_due select * from kept where collector_id = '{dense}'")
    seconds = site.roll_up()
    print(f"rolled up 100 series at 5 minutes, {days} days: {100 * 288 * days} rows in {seconds:.1f} s of a processor, {100 * 288 * days / seconds:.0f} rows/s")
    site.sql("vacuum analyze pganalytics.rollups")
    both = 100 * 288 * days + 60_000
    show_bytes("5 minutes of one sample each", site.size("rollups_300_%"), both)

    site.server.start()
    client = Client(site.server)
    client.time("24 h of one of 10,100 tables, 5 minutes, from roll-ups", chart(site, "dense7", 24, "5m"))
    client.time(f"{days} days of one of 10,100 tables, 3 hours, from roll-ups", chart(site, "dense7", days * 24, "3h"))
    client.time("24 h of 100 tables, 5 minutes, summed", chart(site, "dense7", 24, "5m", labels='table_name~"dense*"', group="sum"))
    site.server.close()
    table = site.sql("select '{' || id || '}' from pganalytics.series where labels = '{dense7}'")
    site.plan("series_find.sql", tables, "''", """'["dense7"]'""", """'[{"position":1,"op":"=","value":"dense7"}]'""", site.end - DAY, 101)
    site.plan("steps_of_points.sql", f"'{table}'", 7, site.end - DAY, site.end, 240)
    site.plan("steps_of_rollups.sql", f"'{table}'", 7, site.end - DAY, site.end, 300, 300)
    site.plan("steps_of_rollups.sql", f"'{table}'", 7, begin, site.end, 10_800, 3600)


if __name__ == "__main__":
    main()
