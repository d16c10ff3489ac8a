"""A plugin that nobody knew when the server was built: its numbers in SQL, through a collector, and through a server that is killed."""

import os
import urllib.parse
from datetime import datetime

from harness.collector import Collector
from harness.server import Server
from harness.wait import eventually

VIEW = "select extract(epoch from time)::numeric(20, 3) || ' ' || load1 || ' ' || tasks from metrics.example_loadavg order by time, tasks"


def check_query(server, collector, stored):
    """The API tells what the view has: the newest number, and the greatest."""
    def ask(agg):
        words = {"family": "example_loadavg", "field": "tasks", "agg": agg, "step": "1h", "collector": collector.id}
        answer = server.get("/api/v1/query?" + urllib.parse.urlencode(words))
        assert len(answer["series"]) == 1, answer
        return [value for value in answer["series"][0]["values"] if value is not None]

    assert ask("last")[-1] == float(max(stored, key=lambda row: float(row[0]))[2])
    assert max(ask("max")) == max(float(row[2]) for row in stored)
    family = server.get("/api/v1/families/example_loadavg")
    assert "tasks" in [field["name"] for field in family["fields"]] and family["plugin"] == "example_loadavg"


def test_a_third_partys_numbers_come_back_from_its_view_once_each(binaries, folder, postgres):
    postgres.sql("create database pganalytics")
    server = Server(binaries, folder, f'[database]\nurl = "{postgres.conninfo("pganalytics")}"\n')
    server.start()
    collector = Collector(binaries, folder, '[plugins.example_loadavg]\ninterval = "1s"\n', server=server,
                          plugin_dirs=[os.path.join(binaries, "tests", "examples")])

    def rows():
        return [line.split() for line in postgres.sql(VIEW, "pganalytics").splitlines()]

    def documents():
        found = sorted((row["document"] for row in server.metrics(collector.id, "example_loadavg")), key=lambda d: (d["timestamp"], d["tasks"]))
        return [(datetime.fromisoformat(d["timestamp"]).timestamp(), d["load1"], d["tasks"]) for d in found]

    def same():
        stored, sent = rows(), documents()
        return len(stored) == len(sent) >= 4 and all(
            abs(float(time) - at) < 0.002 and float(load) == load1 and float(count) == tasks
            for (time, load, count), (at, load1, tasks) in zip(stored, sent))

    try:
        collector.register()
        collector.start()
        # The first ones came before their schema and are read when it is there.
        eventually(lambda: len(documents()) >= 4, 60, f"documents, see {collector.log_path}")
        for _ in range(3):
            server.kill()
            server.start()
        sent = len(documents())
        eventually(lambda: len(documents()) >= sent + 2, 60, "documents of after the kills")
        collector.stop()
        eventually(same, 60, "as many rows as documents, with their numbers")
        check_query(server, collector, rows())
        assert postgres.sql("select col_description('metrics.example_loadavg'::regclass, 4)", "pganalytics") != ""
        assert postgres.sql("select count(*) from pganalytics.schemas where plugin = 'example_loadavg'", "pganalytics") == "1"
    finally:
        collector.close()
        server.close()
