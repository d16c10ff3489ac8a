"""A real collector pushes to real engines by Prometheus remote write: every number arrives once, through kills and outages."""

import json
import sqlite3

from harness.engine import Prometheus, VictoriaMetrics, fetch
from harness.wait import eventually

SERIAL = """
[output.remote_write]
url = "{url}/api/v1/write"
[plugins.test_serial]
interval = "100ms"
"""


def waiting(collector):
    with sqlite3.connect(f"file:{collector.state_dir}/spool.db?mode=ro", uri=True) as spool:
        return spool.execute("select count(*) from batch").fetchone()[0]


def samples(engine, name):
    """[(milliseconds, value)] of all samples of one series, exported raw."""
    lines = fetch(f'{engine.url}/api/v1/export?match[]={name}').splitlines()
    if not lines:
        return []
    [line] = lines
    series = json.loads(line)
    return list(zip(series["timestamps"], series["values"]))


def test_nothing_is_lost_or_doubled_while_the_collector_is_killed_and_the_engine_is_away(make_collector, folder):
    engine = VictoriaMetrics(folder)
    engine.start()
    collector = make_collector(SERIAL.format(url=engine.url))
    name = "test_serial_serial_total"
    try:
        collector.start()
        eventually(lambda: len(samples(engine, name)) >= 10, 60, f"samples, see {collector.log_path}")
        collector.kill()  # whatever it was about to do
        collector.start()
        seen = len(samples(engine, name))
        eventually(lambda: len(samples(engine, name)) >= seen + 10, 60, "samples after a kill")
        engine.close()  # not killed: it answers before it has written, and what it loses then is not the collector's loss
        eventually(lambda: waiting(collector) >= 10, 60, "a backlog while the engine is away")
        engine.start()
        eventually(lambda: waiting(collector) <= 2, 60, "an empty spool when it is back")
        collector.stop()  # drains
        assert waiting(collector) == 0
        values = eventually(lambda: (lambda found: found if found else None)([value for _, value in samples(engine, name)]), 30, "all samples")
        # A run emits three numbers at one moment, of which a series has the first; it counts on in its state, and a run that was
        # not sealed is done again with the same numbers: 1, 4, 7, ...
        count = len(values)
        assert sorted(values) == [float(1 + 3 * i) for i in range(count)], values
        [(_, counted)] = engine.query("count_over_time(test_serial_serial_total[10m])")
        [(_, summed)] = engine.query("sum_over_time(test_serial_serial_total[10m])")
        assert counted == count and summed == sum(values) == count + 3 * count * (count - 1) / 2
    finally:
        engine.close()


def test_prometheus_takes_it_too_and_a_backlog_in_order(make_collector, folder):
    engine = Prometheus(folder, features=["--web.enable-remote-write-receiver"])
    engine.start()
    collector = make_collector(SERIAL.format(url=engine.url))
    try:
        collector.start()
        eventually(lambda: engine.query("test_serial_serial_total"), 60, f"a sample, see {collector.log_path}")
        engine.kill()
        eventually(lambda: waiting(collector) >= 10, 60, "a backlog while the engine is away")
        engine.start()
        eventually(lambda: waiting(collector) <= 2, 60, "an empty spool when it is back")
        collector.stop()
        assert waiting(collector) == 0
        assert "poison" not in collector.log(), collector.log()
        [(labels, count)] = engine.query("count_over_time(test_serial_serial_total[10m])")
        [(_, last)] = engine.query("max_over_time(test_serial_serial_total[10m])")
        assert last == 1 + 3 * (count - 1)
        assert labels["job"] == "pganalytics" and labels["instance"] == collector.name == labels["collector"] and labels["source"] == "test_serial"
    finally:
        engine.close()
