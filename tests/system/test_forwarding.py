"""Servers forward what collectors push to engines that are not ours: every number arrives once, through kills and outages of either side."""

import json
import os
import time

import pytest

from harness.engine import VictoriaMetrics, fetch
from harness.otlp_receiver import Receiver
from harness.server import Server, free_port
from harness.wait import eventually

SERIAL = """
[plugins.test_serial]
interval = "100ms"
"""
NAME = "test_serial_serial_total"


class Forwarding(Server):
    """A server that forwards to one destination, and tells about itself."""

    def __init__(self, binaries, folder, kind, url, more="", **options):
        self.metrics_port = free_port()
        super().__init__(binaries, folder, f'[metrics]\nlisten = "127.0.0.1:{self.metrics_port}"\n[forward.engine]\nkind = "{kind}"\nurl = "{url}"\n{more}', **options)

    def number(self, name):
        """Of pganalytics_server_forward_<name>; the destination is the one there is."""
        lines = [line for line in fetch(f"http://127.0.0.1:{self.metrics_port}/metrics").splitlines() if line.startswith(f"pganalytics_server_forward_{name}{{")]
        assert lines, name
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.fixture
def database(postgres):
    postgres.sql("create database pganalytics")
    return postgres.conninfo("pganalytics")


@pytest.fixture
def run(binaries):
    """run(folder, kind, url, ...) -> a server that runs; closed at the end."""
    made = []

    def start(folder, kind, url, more="", **options):
        made.append(Forwarding(binaries, folder, kind, url, more, **options))
        made[-1].start()
        return made[-1]

    yield start
    for server in made:
        server.close()


def samples(engine, collector):
    """(labels, [values]) of all samples of the collector's series, exported raw."""
    lines = fetch(f'{engine.url}/api/v1/export?match[]={NAME}{{collector="{collector.name}"}}').splitlines()
    if not lines:
        return {}, []
    [line] = lines
    series = json.loads(line)
    return series["metric"], series["values"]


def count(engine, collectors):
    return min(len(samples(engine, collector)[1]) for collector in collectors)


def test_nothing_is_lost_or_doubled_while_servers_are_killed_and_the_engine_is_away(run, make_collector, folder, database):
    engine = VictoriaMetrics(folder)
    engine.start()
    servers = []
    for name in ("one", "two"):
        own_folder = os.path.join(folder, name)
        os.mkdir(own_folder, 0o755)
        servers.append(run(own_folder, "remote_write", f"{engine.url}/api/v1/write", f'[database]\nurl = "{database}"', data_dir=servers[0].data_dir if servers else None))
    collectors = [make_collector(SERIAL, name=f"db{i + 1}", server=server) for i, server in enumerate(servers)]
    try:
        for collector in collectors:
            collector.register()
            collector.start()
        eventually(lambda: count(engine, collectors) >= 10, 60, lambda: f"samples of both, see {servers[0].log_path}")
        assert sorted(server.number("active") for server in servers) == [0, 1]

        # The one that forwards dies; the other goes on with all there is.
        active, other = servers if servers[0].number("active") else servers[::-1]
        active.kill()
        eventually(lambda: other.number("active"), 60, "the other server forwards")
        seen = len(samples(engine, collectors[servers.index(other)])[1])
        eventually(lambda: len(samples(engine, collectors[servers.index(other)])[1]) >= seen + 10, 60, "samples after a kill")
        active.start()

        engine.close()  # not killed: it answers before it has written
        eventually(lambda: other.number("failures_total") >= 1, 60, "a failure while the engine is away")
        other.kill()
        eventually(lambda: active.number("active") and active.number("failures_total") >= 1, 60, "the first one forwards again")
        other.start()
        engine.start()
        for collector in collectors:
            collector.stop()  # drains
        eventually(lambda: active.number("lag_seconds") == 0 and active.number("documents_total") > 0, 60, lambda: f"no lag, see {active.log_path}")

        for collector in collectors:
            stored = sorted(row["document"]["serial"] for row in servers[0].metrics(collector.id, "test_serial"))
            assert stored == list(range(1, len(stored) + 1))
            # Of the three numbers that a run emits at one moment a series has the first.
            wanted = [float(number) for number in stored if number % 3 == 1]
            eventually(lambda: len(samples(engine, collector)[1]) >= len(wanted), 30, "all samples")
            labels, values = samples(engine, collector)
            assert sorted(values) == wanted
            assert labels == {"__name__": NAME, "job": "pganalytics", "instance": collector.name, "collector": collector.name, "source": "test_serial"}
        assert all(server.number("missed_documents_total") == 0 for server in servers)
    finally:
        engine.close()


def test_otlp_gets_metrics_and_logs_once_through_an_outage_and_a_restart(run, make_collector, folder, postgres, database):
    receiver = Receiver()
    server = run(folder, "otlp", receiver.url, f'exclude = ["pg_settings"]\n[database]\nurl = "{database}"')
    postgres.sql("create database shop")
    collector = make_collector(
        f"""{SERIAL}
[plugins."pg_stats@prod"]
interval = "1s"
conninfo = "{postgres.conninfo()}"
[plugins.logs]
interval = "1s"
paths = ["{postgres.log_dir}/*.log"]
start = "beginning"
""",
        server=server,
    )
    try:
        collector.register()
        collector.start()

        def serials():
            return [value for name, _, kind, _, _, value in receiver.points if name == "test_serial.serial" and kind == "counter"]

        eventually(lambda: len(serials()) >= 3, 60, lambda: f"points; refused: {receiver.wrong}, see {server.log_path}")
        receiver.down = True
        postgres.sql("select 1/0", check=False)
        eventually(lambda: server.number("failures_total") >= 1, 60, "a failure")
        begun = time.monotonic()
        server.stop()  # though its destination is down
        assert time.monotonic() - begun < 20
        server.start()
        receiver.down = False
        record = eventually(lambda: next((record for record in receiver.records if record[1] == "division by zero"), None), 60, "the error of the log")
        assert record[0] == "ERROR" and record[2]["source"] == "logs" and record[2]["event.family"] == "logs_events"
        eventually(lambda: any(point[3]["source"] == "pg_stats@prod" for point in receiver.points), 60, "points of a named instance")
        assert not any(point[0].startswith("pg_settings.") for point in receiver.points)
        collector.stop()
        eventually(lambda: server.number("lag_seconds") == 0 and len(serials()) == len(server.metrics(collector.id, "test_serial")), 60, lambda: f"all numbers: {sorted(serials())}")
        assert receiver.wrong == []
        assert sorted(serials()) == [float(i) for i in range(1, len(serials()) + 1)]
        assert len([record for record in receiver.records if record[1] == "division by zero"]) == 1
    finally:
        receiver.close()
